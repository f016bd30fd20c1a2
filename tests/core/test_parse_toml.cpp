#include <string>

#include <xbar/core/error.hpp>

#include "parse_toml.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::parse_toml;
using xbar_test::Contains;

namespace {

std::string refused(const std::string& text) {
  return xbar_test::message_of<xbar::IoError>([&] { (void)parse_toml(text, "a.toml"); });
}

std::string value_of(const std::string& text) {
  return parse_toml(text, "a.toml")["key"].value_or(std::string("none"));
}

}  // namespace

TEST_CASE("core/parse_toml: what is not TOML is named by line and column") {
  CHECK_THAT(refused("a = 1\nb = = 2\n"), Contains("a.toml:2:5: not TOML: "));
  // toml++ 3.3 has an assertion against this one.
  CHECK_THAT(refused("a = 1\n[[= 3"), Contains("a.toml:2:3: not TOML: "));
}

// U+00D9 is one of the letters that toml++ 3.3 holds for impossible, U+00E9 is not; columns count
// letters.
TEST_CASE("core/parse_toml: letters beyond ASCII belong in strings and comments") {
  const std::string found =
      ": not TOML: expected ASCII outside of strings and comments and behind "
      "a '\\', found byte 0xc3";
  CHECK(refused("Ù = 1\n") == "a.toml:1:1" + found);
  CHECK(refused("a = 1\nb = Ù\n") == "a.toml:2:5" + found);
  CHECK(refused("a = 'é' Ù") == "a.toml:1:9" + found);
  CHECK(refused("a = \"é\\\"é\" é") == "a.toml:1:12" + found);
  CHECK(refused("a = 'é\\'Ù'") == "a.toml:1:9" + found);  // nothing is escaped in literal strings
  CHECK(refused("# é\r\nÙ") == "a.toml:2:1" + found);
  CHECK(refused("a = ''Ù") == "a.toml:1:7" + found);
  CHECK(refused("a = 'cut off\nÙ = 1") == "a.toml:2:1" + found);
  CHECK(refused("a = \"\"\"\"é\"\" '\né\"\"\"\"\"Ù") == "a.toml:2:7" + found);
  CHECK(refused("a = '''\n''é''''Ù'") == "a.toml:2:8" + found);
  CHECK(refused("a = \"\"\"é\\ \r\n\t Ù\"\"\"") == "a.toml:2:3" + found);
  CHECK(refused("a = \"\\Ù\"") == "a.toml:1:7" + found);
  // No strings: the value has begun without a quote.
  CHECK(refused("a = 0g'''Ù") == "a.toml:1:10" + found);
  CHECK(refused("a = -\"Ù\"") == "a.toml:1:7" + found);
  CHECK(refused("a = [1,\n2'Ù'") == "a.toml:2:3" + found);
  CHECK(refused("a = 2['Ù'") == "a.toml:1:8" + found);
  CHECK(refused("a = 1.E\"\".\"Ù\"") == "a.toml:1:12" + found);
  CHECK(refused("a = {b = 0.''\"Ù\"}") == "a.toml:1:15" + found);
  CHECK(refused("\xEF\xBB\xBFÙ") == "a.toml:1:1" + found);  // a byte order mark
}

TEST_CASE("core/parse_toml: in strings and comments any letter stands") {
  CHECK(value_of("# Ù é\nkey = 'Ù é' # Ù") == "Ù é");
  CHECK(value_of("key = \"\\\\\\\"Ù\"") == "\\\"Ù");
  CHECK(value_of("'Ù' = 1\nkey = '#'\n") == "#");
  CHECK(value_of("key = \"\"\"\nÙ '\"\" Ù\\\n  \\t\\\\ é\"\"\"\"\"") == "Ù '\"\" Ù\t\\ é\"\"");
  CHECK(value_of("a = ''''''\nkey = '''Ù\\''''\n") == "Ù\\'");
  CHECK(value_of("a = \"\"\nkey = '''\n'Ù''é'''\n# '") == "'Ù''é");
  CHECK(value_of("key = 'é'\na = {b = 1, c.'Ù' = 3}") == "é");
  CHECK(value_of("key = 'é'\n'é'. \"Ù\" = 1\r\n[ 'Ù' ]\na = [ 'Ù', [\"Ù\"],\n\t'Ù',{'Ù'='Ù'}]") ==
        "é");
  CHECK(value_of("\xEF\xBB\xBFkey = 'Ù'") == "Ù");
}

TEST_CASE("core/parse_toml: strings that are cut off are refused") {
  for (const std::string text : {"a = \"", "a = \"\\", "a = '", "a = \"\"\"", "a = \"\"\"é\\",
                                 "a = '''Ù''", "a = \"\"\"\\\n ", "a = 'Ù\n'"}) {
    CAPTURE(text);
    CHECK_THAT(refused(text), Contains("a.toml:") && Contains(": not TOML: "));
  }
}
