#include <limits>

#include <xbar/report/text.hpp>

#include "support/catch.hpp"

using namespace xbar::report;

TEST_CASE("report/text: markup and quotes are escaped") {
  CHECK(escape("<script>alert('x')</script>") == "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;");
  CHECK(escape(R"(a & b "c")") == "a &amp; b &quot;c&quot;");
  CHECK(escape("10 kΩ → ½") == "10 kΩ → ½");
}

TEST_CASE(
    "report/text: bytes that are not UTF-8 or not allowed in a page are replaced or dropped") {
  CHECK(escape("a\xFFz") == "a\uFFFDz");
  CHECK(escape("cut \xE2\x82") == "cut \uFFFD\uFFFD");    // a euro sign without its last byte
  CHECK(escape("\xC0\xBC") == "\uFFFD\uFFFD");            // '<' in an overlong form
  CHECK(escape("\xED\xA0\x80") == "\uFFFD\uFFFD\uFFFD");  // a surrogate
  CHECK(escape(std::string_view("a\0b\x1B\tc\n", 7)) == "ab\tc\n");
}

TEST_CASE("report/text: numbers keep their significant digits and lose trailing zeros") {
  CHECK(format_number(0) == "0");
  CHECK(format_number(-0.0) == "0");
  CHECK(format_number(95) == "95");
  CHECK(format_number(0.0123) == "0.0123");
  CHECK(format_number(12345.6) == "12346");  // the integer part is never rounded away
  CHECK(format_number(0.1 + 0.2) == "0.3");
  CHECK(format_number(-1.5) == "\u22121.5");
  CHECK(format_number(3.14159265, 6) == "3.14159");
}

TEST_CASE("report/text: numbers outside the readable range become powers of ten") {
  CHECK(format_number(1.234e-5) == "1.23×10⁻⁵");
  CHECK(format_number(-2e9) == "\u22122×10⁹");
  CHECK(format_number(1e-4) == "0.0001");
  CHECK(format_number(999999.9) == "1×10⁶");      // rounds into the next decade
  CHECK(format_number(0.000099999) == "0.0001");  // likewise, back into the readable range
}

TEST_CASE("report/text: values that are not numbers are said so") {
  const double inf = std::numeric_limits<double>::infinity();
  CHECK(format_number(std::numeric_limits<double>::quiet_NaN()) == "n/a");
  CHECK(format_number(inf) == "∞");
  CHECK(format_number(-inf) == "\u2212∞");
  CHECK(format_fixed(inf, 2) == "∞");
  CHECK(format_si(-inf, "V") == "\u2212∞\u00A0V");
}

TEST_CASE("report/text: fixed decimals line up") {
  CHECK(format_fixed(95, 1) == "95.0");
  CHECK(format_fixed(94.66, 1) == "94.7");
  CHECK(format_fixed(-0.04, 1) == "0.0");  // no minus zero
  CHECK(format_fixed(-0.06, 1) == "\u22120.1");
  CHECK(format_fixed(3, 0) == "3");
}

TEST_CASE("report/text: SI units take prefixes and others do not") {
  CHECK(format_si(0.0382, "V") == "38.2\u00A0mV");
  CHECK(format_si(20e3, "ohm") == "20\u00A0kΩ");
  CHECK(format_si(1e-6, "A") == "1\u00A0µA");
  CHECK(format_si(999.96e-6, "A", 3) == "1\u00A0mA");  // rounds into the next prefix
  CHECK(format_si(0, "V") == "0\u00A0V");
  CHECK(format_si(1, "V") == "1\u00A0V");
  CHECK(format_si(-0.5, "V") == "\u2212500\u00A0mV");
  CHECK(format_si(0.012, "%") == "0.012\u00A0%");
  CHECK(format_si(0.5, "") == "0.5");
  CHECK(format_si(3e-21, "A") == "0.003\u00A0aA");  // below the smallest prefix
}
