#include <string>
#include <vector>

#include <xbar/core/suggest.hpp>

#include "support/catch.hpp"

using xbar::nearest;

TEST_CASE("core/suggest: the nearest name within reach") {
  const std::vector<std::string> names = {"glyphs", "mnist", "fashion-mnist"};
  CHECK(nearest("mnits", names) == "mnist");   // a swap is one edit
  CHECK(nearest("mnst", names) == "mnist");    // a letter missing
  CHECK(nearest("mmnist", names) == "mnist");  // a letter too many
  CHECK(nearest("glyfs", names) == "glyphs");  // one replaced, one missing
  CHECK(nearest("mnist", names) == "mnist");   // itself
  CHECK(nearest("cifar10", names).empty());    // like none
  CHECK(nearest("", names).empty());
  CHECK(nearest("mnist", {}).empty());
}

TEST_CASE("core/suggest: dash and underscore are alike") {
  const std::vector<std::string> names = {"wordline-ohm", "bitline-ohm"};
  CHECK(nearest("wordline_ohm", names) == "wordline-ohm");
  // Two edits apart but for the folding, and only one is allowed at this length.
  CHECK(nearest("a_b", std::vector<std::string>{"a-bcd"}) == "a-bcd");
}

TEST_CASE("core/suggest: the reach is a third of the word's length plus one") {
  const std::vector<std::string> names = {"abcdef"};
  CHECK(nearest("abcxyz", names) == "abcdef");  // 3 edits, 6 / 3 + 1 allowed
  CHECK(nearest("abwxyz", names).empty());      // 4 edits
  CHECK(nearest("abcde", names) == "abcdef");
  CHECK(nearest("abc", names).empty());  // 3 edits, 3 / 3 + 1 = 2 allowed
}

TEST_CASE("core/suggest: of equally near names the first") {
  const std::vector<std::string> names = {"cat", "car", "cab"};
  CHECK(nearest("caz", names) == "cat");
  CHECK(nearest("cab", names) == "cab");
}

TEST_CASE("core/suggest: a swap counts once, in any place") {
  const std::vector<std::string> names = {"ab"};
  CHECK(nearest("ba", names) == "ab");  // one edit; as two it would be out of reach (2 / 3 + 1)
}

TEST_CASE("core/suggest: what a message says of the nearest name") {
  const std::vector<std::string> names = {"glyphs", "mnist"};
  CHECK(xbar::did_you_mean("mnits", names) == "; did you mean mnist?");
  CHECK(xbar::did_you_mean("cifar10", names).empty());
}
