#pragma once

/// What layers are called, and what messages show of names.

#include <set>
#include <string>
#include <string_view>

namespace xbar::onnx {

/// `text` for an error message: other than printable ASCII as '?', cut to 100 bytes.
[[nodiscard]] std::string shown(std::string_view text);

/// The folders of PyTorch's node names as points, those that repeat the one before left out:
/// "/layer1/layer1.0/conv1/Conv" gives "layer1.0.conv1.Conv". Any other name with what is not a
/// letter, a digit, '.', '_' or '-' turned into '_'.
[[nodiscard]] std::string dotted(std::string_view node_name);

/// Names of layers and values, each given out once.
class NamePool {
 public:
  /// `wanted`, or the first of wanted_2, wanted_3, ... that is free.
  [[nodiscard]] std::string claim(const std::string& wanted);

 private:
  std::set<std::string> taken_;
};

}  // namespace xbar::onnx
