#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <string>
#include <system_error>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

namespace xbar {
namespace {

namespace fs = std::filesystem;

std::string reason(int error_number) { return std::generic_category().message(error_number); }

[[noreturn]] void fail_to_write(const fs::path& path, const std::string& why) {
  throw IoError(fmt::format("{}: cannot write the file: {}", path.string(), why));
}

/// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor(Descriptor&&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }
  /// @return 0 or the error: some file systems report a failed write only here.
  [[nodiscard]] int close() {
    const int result = ::close(number_);
    number_ = -1;
    return result == 0 || errno == EINTR ? 0 : errno;
  }

 private:
  int number_;
};

/// Removes the temporary unless it became the target.
class Temporary {
 public:
  explicit Temporary(fs::path path) : path_(std::move(path)) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  Temporary(Temporary&&) = delete;
  Temporary& operator=(Temporary&&) = delete;
  ~Temporary() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void keep() { path_.clear(); }

 private:
  fs::path path_;
};

/// @return 0 or the error.
int write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

constexpr std::string_view temporary_prefix = ".xbar-";
constexpr std::string_view temporary_suffix = ".tmp";

/// A new file beside `target`. Its name is short and does not contain the target's, which may be
/// as long as the file system allows.
fs::path create_temporary(const fs::path& target, int& descriptor) {
  static std::atomic<unsigned> counter{0};
  constexpr int attempts = 1000;  // names left over from a killed process with our id are skipped
  for (int attempt = 0; attempt < attempts; ++attempt) {
    fs::path candidate =
        target.parent_path() / fmt::format("{}{}-{}{}", temporary_prefix, ::getpid(),
                                           counter.fetch_add(1), temporary_suffix);
    descriptor = ::open(candidate.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) return candidate;
    if (errno != EEXIST) break;
  }
  fail_to_write(target, reason(errno));
}

/// Makes the rename itself durable. Not every file system can: a failure here leaves a complete
/// file under the right name, so it is no error.
void flush_folder(const fs::path& file) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const Descriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (handle.number() >= 0) static_cast<void>(::fsync(handle.number()));
}

void write_directly(const fs::path& path, std::string_view bytes) {
  Descriptor handle(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (handle.number() < 0) fail_to_write(path, reason(errno));
  if (const int error = write_all(handle.number(), bytes)) fail_to_write(path, reason(error));
  if (const int error = handle.close()) fail_to_write(path, reason(error));
}

}  // namespace

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  if (!path.has_filename()) fail_to_write(path, "expected a file name, got a folder");
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(path, error)) {
    target = fs::weakly_canonical(path, error);
    if (error) fail_to_write(path, error.message());
  }
  const fs::file_status status = fs::status(target, error);
  if (fs::is_directory(status)) fail_to_write(path, "expected a file, found a folder");
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    write_directly(target, bytes);
    return;
  }
  if (target.has_parent_path()) {
    fs::create_directories(target.parent_path(), error);
    if (error) fail_to_write(path, error.message());
  }

  int descriptor = -1;
  Temporary temporary(create_temporary(target, descriptor));
  Descriptor handle(descriptor);
  if (fs::exists(status) &&
      ::fchmod(descriptor, static_cast<mode_t>(status.permissions()) & 07777U) != 0) {
    fail_to_write(path, reason(errno));
  }
  if (const int failure = write_all(descriptor, bytes)) fail_to_write(path, reason(failure));
  if (::fsync(descriptor) != 0) fail_to_write(path, reason(errno));
  if (const int failure = handle.close()) fail_to_write(path, reason(failure));
  if (::rename(temporary.path().c_str(), target.c_str()) != 0) fail_to_write(path, reason(errno));
  temporary.keep();
  flush_folder(target);
}

void remove_temporaries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(temporary_prefix) && name.ends_with(temporary_suffix)) {
      found.push_back(it->path());
    }
  }
  for (const fs::path& path : found) fs::remove(path, error);  // one that stays does no harm
}

std::string read_file(const fs::path& path) {
  const auto fail = [&path](const std::string& why) {
    throw IoError(fmt::format("{}: cannot read the file: {}", path.string(), why));
  };
  const Descriptor handle(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (handle.number() < 0) fail(reason(errno));
  struct stat status {};
  if (::fstat(handle.number(), &status) != 0) fail(reason(errno));
  if (S_ISDIR(status.st_mode)) fail("expected a file, found a folder");
  // The size is a hint only: a pipe has none, and a file may grow while it is read.
  std::string bytes;
  if (S_ISREG(status.st_mode)) bytes.reserve(static_cast<std::size_t>(status.st_size) + 1);
  std::array<char, 1U << 16U> block{};
  while (true) {
    const ssize_t got = ::read(handle.number(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(reason(errno));
    if (got == 0) return bytes;
    bytes.append(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace xbar
