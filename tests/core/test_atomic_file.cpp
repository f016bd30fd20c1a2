#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

namespace fs = std::filesystem;
using xbar::IoError;
using xbar::read_file;
using xbar::write_file_atomically;
using xbar_test::contains;
using xbar_test::message_of;
using xbar_test::TemporaryFolder;

namespace {

/// No file may grow beyond `bytes` while this lives: a full disk, also for root.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

}  // namespace

TEST_CASE("core/atomic_file: writes, replaces and reads back any bytes") {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 300000; ++i) bytes += static_cast<char>(i * 7);
  write_file_atomically(folder / "a.bin", bytes);
  CHECK(read_file(folder / "a.bin") == bytes);
  write_file_atomically(folder / "a.bin", "");
  CHECK(read_file(folder / "a.bin").empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("core/atomic_file: missing parent folders are created") {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "one" / "two" / "a.txt", "x");
  CHECK(read_file(folder.path() / "one" / "two" / "a.txt") == "x");
}

TEST_CASE("core/atomic_file: a path without a folder goes to the current one") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  write_file_atomically("a.txt", "x");
  const std::string found = read_file("a.txt");
  fs::current_path(before);
  CHECK(found == "x");
  CHECK(fs::exists(folder / "a.txt"));
}

TEST_CASE("core/atomic_file: a full disk leaves the old file and no temporary") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = message_of<IoError>(
        [&] { write_file_atomically(folder / "a.txt", std::string(5000, 'n')); });
  }
  CHECK(contains(message, (folder / "a.txt").string() + ": cannot write the file: File too large"));
  CHECK(read_file(folder / "a.txt") == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("core/atomic_file: the temporaries of a killed process go, and nothing else") {
  const TemporaryFolder folder;
  const auto below = folder.path() / "below";
  write_file_atomically(below / "kept.tmp", "1");
  write_file_atomically(folder.path() / ".xbar-kept", "2");
  for (const auto& left : {below / ".xbar-17-0.tmp", folder.path() / ".xbar-18-3.tmp"}) {
    std::ofstream(left) << "half";
  }
  xbar::remove_temporaries(folder.path());
  REQUIRE(std::distance(fs::directory_iterator(below), {}) == 1);
  REQUIRE(read_file(below / "kept.tmp") == "1");
  REQUIRE(std::distance(fs::directory_iterator(folder.path()), {}) == 2);
  REQUIRE_NOTHROW(xbar::remove_temporaries(folder.path() / "nothing"));
}

TEST_CASE("core/atomic_file: a path that cannot be is refused with the system's reason") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "file", "x");
  CHECK(contains(
      message_of<IoError>([&] { write_file_atomically(folder.path() / "file" / "a.txt", "x"); }),
      "Not a directory"));
  CHECK(contains(
      message_of<IoError>([&] { write_file_atomically(folder / std::string(300, 'a'), "x"); }),
      "File name too long"));
  CHECK(contains(message_of<IoError>([&] { write_file_atomically(folder.path(), "x"); }),
                 "expected a file, found a folder"));
  CHECK_THROWS_AS(write_file_atomically(folder.path() / "sub" / "", "x"), IoError);
  CHECK_THROWS_AS(write_file_atomically("", "x"), IoError);
  CHECK(folder.entries() == 1);  // nothing but "file"
}

TEST_CASE("core/atomic_file: a name of the greatest length works") {
  const TemporaryFolder folder;
  const std::string name(255, 'a');  // NAME_MAX of the usual file systems
  write_file_atomically(folder / name, "x");
  CHECK(read_file(folder / name) == "x");
}

TEST_CASE("core/atomic_file: the permissions of a replaced file stay") {
  const TemporaryFolder folder;
  write_file_atomically(folder / "a.txt", "x");
  fs::permissions(folder / "a.txt", fs::perms::owner_read | fs::perms::owner_write);
  write_file_atomically(folder / "a.txt", "y");
  CHECK(fs::status(folder / "a.txt").permissions() ==
        (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("core/atomic_file: a new file obeys the umask") {
  const TemporaryFolder folder;
  const mode_t before = ::umask(027);
  write_file_atomically(folder / "a.txt", "x");
  ::umask(before);
  CHECK(static_cast<unsigned>(fs::status(folder / "a.txt").permissions()) == 0640U);
}

TEST_CASE("core/atomic_file: a symbolic link stays and its file is replaced") {
  const TemporaryFolder folder;
  fs::create_directory(folder / "data");
  write_file_atomically(folder.path() / "data" / "real.txt", "old");
  fs::create_symlink(fs::path("data") / "real.txt", folder / "link.txt");
  write_file_atomically(folder / "link.txt", "new");
  CHECK(fs::is_symlink(folder / "link.txt"));
  CHECK(read_file(folder.path() / "data" / "real.txt") == "new");
}

TEST_CASE("core/atomic_file: a pipe is written to, never replaced") {
  // Devices take the same way; a pipe of our own stands for them, so that broken code cannot
  // replace /dev/null.
  const TemporaryFolder folder;
  const fs::path path = folder / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  REQUIRE(reader >= 0);
  write_file_atomically(path, "through");
  std::array<char, 16> got{};
  const ssize_t count = ::read(reader, got.data(), got.size());
  ::close(reader);
  CHECK(count == 7);
  CHECK(std::string(got.data()) == "through");
  CHECK(fs::is_fifo(path));
  CHECK(folder.entries() == 1);
}

TEST_CASE("core/atomic_file: a reader sees the old or the new file, never a part") {
  const TemporaryFolder folder;
  const fs::path path = folder / "a.txt";
  const std::string texts[] = {std::string(200000, 'a'), std::string(100000, 'b')};
  write_file_atomically(path, texts[0]);
  std::vector<std::thread> writers;
  for (const std::string& text : texts) {
    writers.emplace_back([&path, &text] {
      for (int i = 0; i < 20; ++i) write_file_atomically(path, text);
    });
  }
  bool whole = true;
  for (int i = 0; i < 100; ++i) {
    const std::string found = read_file(path);
    whole = whole && (found == texts[0] || found == texts[1]);
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(whole);
  CHECK(folder.entries() == 1);
}

TEST_CASE("core/atomic_file: reading names the path and the reason") {
  const TemporaryFolder folder;
  CHECK(message_of<IoError>([&] { return read_file(folder / "absent"); }) ==
        (folder / "absent").string() + ": cannot read the file: No such file or directory");
  CHECK(contains(message_of<IoError>([&] { return read_file(folder.path()); }),
                 "expected a file, found a folder"));
}
