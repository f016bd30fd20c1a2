#include "node_names.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace xbar::onnx {
namespace {

bool fits_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

std::string shown(std::string_view text) {
  constexpr std::size_t longest = 100;
  std::string result(text.substr(0, longest));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > longest ? result + "..." : result;
}

std::string dotted(std::string_view node_name) {
  std::vector<std::string> folders;
  while (!node_name.empty()) {
    const std::size_t end = std::min(node_name.find('/'), node_name.size());
    std::string folder(node_name.substr(0, end));
    node_name.remove_prefix(std::min(end + 1, node_name.size()));
    if (folder.empty()) continue;
    std::replace_if(
        folder.begin(), folder.end(), [](char c) { return !fits_name(c); }, '_');
    if (!folders.empty() && folder.starts_with(folders.back() + ".")) folders.pop_back();
    folders.push_back(std::move(folder));
  }
  return fmt::format("{}", fmt::join(folders, "."));
}

std::string NamePool::claim(const std::string& wanted) {
  std::string name = wanted;
  for (int k = 2; !taken_.insert(name).second; ++k) name = fmt::format("{}_{}", wanted, k);
  return name;
}

}  // namespace xbar::onnx
