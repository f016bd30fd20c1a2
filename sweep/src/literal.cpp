#include "literal.hpp"

#include <fmt/format.h>

namespace xbar::sweep {

std::string real_literal(double value) {
  std::string text = fmt::to_string(value);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";  // nor inf or nan
  return text;
}

}  // namespace xbar::sweep
