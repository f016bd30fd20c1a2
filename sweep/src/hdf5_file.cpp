#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/sweep/table.hpp>

#ifdef XBAR_HDF5

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <hdf5.h>

// The file is made in memory, by HDF5's "core" driver, and written like any other.

namespace xbar::sweep {
namespace {

// Closes on every way out.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {
    if (id_ < 0) throw IoError("HDF5: the library refused a step of writing a table");
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() { close_(id_); }
  operator hid_t() const { return id_; }  // NOLINT: what the library's functions take

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void check(herr_t status) {
  if (status < 0) throw IoError("HDF5: the library refused a step of writing a table");
}

Handle text_type() { return {H5Tcopy(H5T_C_S1), H5Tclose}; }

// Without the time of the day: equal tables make equal files.
Handle column_set(hid_t file, const char* name, hid_t type, hid_t space) {
  const Handle creation(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
  check(H5Pset_obj_track_times(creation, false));
  return {H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT), H5Dclose};
}

void write_texts(hid_t file, const Table& table, std::size_t column, hid_t space,
                 const char* name) {
  std::vector<std::string> texts;
  std::vector<const char*> pointers;
  pointers.reserve(table.size());
  for (std::size_t r = 0; r < table.size(); ++r) texts.emplace_back(table.cell(r, column));
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const Handle type = text_type();
  check(H5Tset_size(type, H5T_VARIABLE));
  check(H5Tset_cset(type, H5T_CSET_UTF8));
  const Handle set = column_set(file, name, type, space);
  if (!pointers.empty()) {
    check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()));
  }
}

void write_numbers(hid_t file, const Table& table, std::size_t column, hid_t space,
                   const char* name) {
  std::vector<double> values;
  for (std::size_t r = 0; r < table.size(); ++r) {
    values.push_back(
        number_in(table.cell(r, column)).value_or(std::numeric_limits<double>::quiet_NaN()));
  }
  const Handle set = column_set(file, name, H5T_IEEE_F64LE, space);
  if (!values.empty()) {
    check(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()));
  }
}

void write_comment(hid_t file, const std::string& comment) {
  const Handle type = text_type();
  check(H5Tset_size(type, comment.size() + 1));
  check(H5Tset_cset(type, H5T_CSET_UTF8));
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
  const Handle attribute(H5Acreate2(file, "comment", type, space, H5P_DEFAULT, H5P_DEFAULT),
                         H5Aclose);
  check(H5Awrite(attribute, type, comment.c_str()));
}

std::string file_image(const Table& table, const std::string& comment) {
  constexpr std::size_t block = 1U << 16U;
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  check(H5Pset_fapl_core(access, block, false));
  const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  check(H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  check(H5Pset_obj_track_times(creation, false));
  const Handle file(H5Fcreate("table.h5", H5F_ACC_TRUNC, creation, access), H5Fclose);
  write_comment(file, comment);
  const hsize_t rows = table.size();
  const Handle space(H5Screate_simple(1, &rows, nullptr), H5Sclose);
  const std::vector<std::string> numbers = number_columns(table);
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    const std::string& name = table.columns()[c];
    const bool is_number = std::find(numbers.begin(), numbers.end(), name) != numbers.end();
    std::string link = name;
    std::replace(link.begin(), link.end(), '/', '_');  // it would begin a group
    (is_number ? write_numbers : write_texts)(file, table, c, space, link.c_str());
  }
  check(H5Fflush(file, H5F_SCOPE_GLOBAL));
  const ssize_t size = H5Fget_file_image(file, nullptr, 0);
  check(size < 0 ? -1 : 0);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  check(H5Fget_file_image(file, bytes.data(), bytes.size()) < 0 ? -1 : 0);
  return bytes;
}

}  // namespace

bool has_hdf5() { return true; }

void write_hdf5(const std::filesystem::path& path, const Table& table, const std::string& comment) {
  check(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr));  // it would print
  write_file_atomically(path, file_image(table, comment));
}

}  // namespace xbar::sweep

#else

namespace xbar::sweep {

bool has_hdf5() { return false; }

void write_hdf5(const std::filesystem::path& path, const Table&, const std::string&) {
  throw IoError(path.string() + ": this build has no HDF5; install it and build again");
}

}  // namespace xbar::sweep

#endif
