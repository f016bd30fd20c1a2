#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/nn/data/cifar_jpeg.hpp>
#include <xbar/nn/data/cifar_set.hpp>

#include "byte_images.hpp"

namespace xbar::nn {
namespace {

namespace fs = std::filesystem;

/// The original files of one data set.
struct Original {
  const char* name;
  const char* archive;
  const char* unpacked;  ///< the folder that the archive unpacks to
  std::vector<const char*> train;
  const char* test;
  Index train_count;  ///< images of one file
  Index test_count;
};

const Original& original(CifarKind kind) {
  static const Original cifar10{"cifar10",
                                "cifar-10-binary.tar.gz",
                                "cifar-10-batches-bin",
                                {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                 "data_batch_4.bin", "data_batch_5.bin"},
                                "test_batch.bin",
                                10000,
                                10000};
  static const Original cifar100{
      "cifar100", "cifar-100-binary.tar.gz", "cifar-100-binary", {"train.bin"}, "test.bin", 50000,
      10000};
  return kind == CifarKind::cifar10 ? cifar10 : cifar100;
}

bool there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void append(ImageSet& set, const CifarImages& images) {
  set.channels = cifar_channels;
  set.height = set.width = cifar_side;
  set.count += static_cast<Index>(images.labels.size());
  set.labels.insert(set.labels.end(), images.labels.begin(), images.labels.end());
  detail::append_pixels(images.pixels, set.pixels);
}

void read_original(DataSet& data, const fs::path& folder, CifarKind kind) {
  const Original& files = original(kind);
  const Index total = static_cast<Index>(files.train.size()) * files.train_count;
  data.train.pixels.reserve(static_cast<std::size_t>(total * cifar_pixels));
  for (const char* const file : files.train) {
    append(data.train, read_cifar(folder / file, kind, files.train_count));
  }
  append(data.test, read_cifar(folder / files.test, kind, files.test_count));
}

struct Subset {
  fs::path path;
  Index count = 0;
};

/// SPLIT_firstN.bin of the folder, if it has one.
std::optional<Subset> find_subset(const fs::path& folder, const std::string& split) {
  const std::string prefix = split + "_first";
  constexpr std::string_view suffix = ".bin";
  std::optional<Subset> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || !name.ends_with(suffix)) continue;
    Index count = 0;
    const char* const end = name.data() + name.size() - suffix.size();
    const auto parsed = std::from_chars(name.data() + prefix.size(), end, count);
    if (parsed.ec != std::errc() || parsed.ptr != end || count < 1) continue;
    if (found) {
      throw IoError(fmt::format("{}: expected one file {}N{}, found {} and {}", folder.string(),
                                prefix, suffix, found->path.filename().string(), name));
    }
    found = Subset{entry.path(), count};
  }
  return found;
}

[[noreturn]] void refuse(const fs::path& folder, CifarKind kind) {
  const Original& files = original(kind);
  if (there(folder / files.archive)) {
    throw IoError(
        fmt::format("{0}: expected it unpacked, found the archive alone; run: "
                    "tar -xzf {0} -C {1}",
                    (folder / files.archive).string(), folder.string()));
  }
  std::string others = "train_firstN.bin and test_firstM.bin";
  if (kind == CifarKind::cifar10) others += ", or train.zip and test.zip";
  throw IoError(fmt::format("{}: expected the files {} and {}, or {}; found {}", folder.string(),
                            fmt::join(files.train, ", "), files.test, others,
                            there(folder) ? "none of these pairs" : "no such folder"));
}

}  // namespace

DataSet read_cifar_set(const fs::path& folder, CifarKind kind) {
  const Original& files = original(kind);
  DataSet data;
  data.name = files.name;
  data.num_classes = cifar_classes(kind);
  for (const fs::path& place : {folder, folder / files.unpacked}) {
    // One of them is enough to tell the layout: what is then missing is missed by name.
    if (there(place / files.train.front()) || there(place / files.test)) {
      read_original(data, place, kind);
      return data;
    }
  }
  const std::optional<Subset> train = find_subset(folder, "train");
  const std::optional<Subset> test = find_subset(folder, "test");
  if (train && test) {
    append(data.train, read_cifar(train->path, kind, train->count));
    append(data.test, read_cifar(test->path, kind, test->count));
  } else if (kind == CifarKind::cifar10 && there(folder / "train.zip") &&
             there(folder / "test.zip")) {
    append(data.train, read_cifar_jpeg(folder / "train.zip"));
    append(data.test, read_cifar_jpeg(folder / "test.zip"));
  } else {
    refuse(folder, kind);
  }
  return data;
}

}  // namespace xbar::nn
