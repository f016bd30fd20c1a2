#include <cmath>
#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/report/plot.hpp>

#include "markup.hpp"
#include "support/catch.hpp"

using namespace xbar::report;
using xbar_test::attribute_values;
using xbar_test::contains;
using xbar_test::count;

namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();

LinePlot error_plot() {
  return {"Error against tile size",
          {"Tile side", "cells", Scale::log2, {}, {}, {}},
          {"Error", "%", Scale::log, {}, {}, {}},
          {{"ladder", {16, 32, 64, 128}, {0.17, 0.75, 3.1, 11}},
           {"operating point", {16, 32, 64, 128}, {0.02, 0.07, 0.23, 0.6}}}};
}

xbar::Matrix slope(xbar::Index rows, xbar::Index cols) {
  xbar::Matrix m(rows, cols);
  for (xbar::Index i = 0; i < rows; ++i) {
    for (xbar::Index j = 0; j < cols; ++j) {
      m(i, j) = 1e-3 * static_cast<double>(i * cols + j);
    }
  }
  return m;
}

/// Well-formed, without outside references and without broken numbers.
void check_sound(const std::string& svg) {
  const std::string fault = xbar_test::markup_fault(svg);
  const std::string outside = xbar_test::outside_reference(svg);
  CAPTURE(fault, outside);
  CHECK(fault.empty());
  CHECK(outside.empty());
  CHECK_FALSE(xbar_test::has_bad_coordinate(svg));
  CHECK(contains(svg, R"(role="img")"));
  CHECK(contains(svg, "aria-label=\""));
  CHECK(count(svg, " id=\"") == 0);  // several plots must fit in one page
}

}  // namespace

TEST_CASE("report/plot: the checker of these tests sees broken markup") {
  CHECK_FALSE(xbar_test::markup_fault("<svg><g></svg>").empty());
  CHECK_FALSE(xbar_test::markup_fault("<svg><g/>").empty());
  CHECK_FALSE(xbar_test::markup_fault("<svg a=\"x></svg>").empty());
  CHECK_FALSE(xbar_test::markup_fault("<p>a < b</p>").empty());
  CHECK_FALSE(xbar_test::markup_fault("<p>a & b</p>").empty());
  CHECK(xbar_test::markup_fault("<p class=\"a > b\">x<br/></p>").empty());
  CHECK_FALSE(xbar_test::outside_reference("<a href='https://x'>").empty());
  CHECK(xbar_test::has_bad_coordinate(R"(<path d="M1 nan"/>)"));
}

TEST_CASE("report/plot: a line plot shows its title axes names and points") {
  const std::string svg = error_plot().svg();
  check_sound(svg);
  for (const char* text : {">Error against tile size<", ">Tile side (cells)<", ">Error (%)<",
                           ">16<", ">128<", ">0.1<", ">10<", ">ladder<"}) {
    CAPTURE(text);
    CHECK(contains(svg, text));
  }
  CHECK(count(svg, "<title>") == 8);  // one tooltip for each point
  CHECK(contains(svg, "<title>ladder\nTile side: 64\u00A0cells\nError: 3.1\u00A0%</title>"));
}

TEST_CASE("report/plot: points lie where the axes say") {
  LinePlot plot{"", {"x", "", Scale::linear, 0, 10, {}}, {"y", "", Scale::linear, 0, 1, {}}, {}};
  plot.series = {{"", {0, 5, 10}, {0, 0.5, 1}}};
  const std::string svg = plot.svg();
  check_sound(svg);
  const std::vector<double> x = attribute_values(svg, "cx");
  const std::vector<double> y = attribute_values(svg, "cy");
  REQUIRE(x.size() == 6);  // for each point the area under the pointer and the marker
  CHECK(x[0] == x[1]);
  // Halfway in value is halfway in the picture; y grows downwards. 0.01 is the printed precision.
  CHECK_THAT(x[2] - x[0], xbar_test::WithinAbs(x[4] - x[2], 0.011));
  CHECK_THAT(y[0] - y[2], xbar_test::WithinAbs(y[2] - y[4], 0.011));
  CHECK(x[4] > x[0]);
  CHECK(y[4] < y[0]);
}

TEST_CASE("report/plot: a log axis spaces decades equally") {
  LinePlot plot{"", {"x", "", Scale::log, 1, 100, {}}, {"y"}, {{"", {1, 10, 100}, {1, 2, 3}}}};
  const std::vector<double> x = attribute_values(plot.svg(), "cx");
  REQUIRE(x.size() == 6);
  CHECK_THAT(x[2] - x[0], xbar_test::WithinAbs(x[4] - x[2], 0.011));
}

TEST_CASE("report/plot: NaN and infinite points are left out and leave a gap") {
  LinePlot plot{
      "", {"x"}, {"y"}, {{"s", {0, 1, 2, 3, 4, 5, 6}, {1, 2, nan_value, 3, 4, infinity, 5}}}};
  const std::string svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, "<title>") == 5);
  // Runs 0-1, 3-4 and 6: the last is too short for a line and has its marker only.
  CHECK(count(svg, R"(<path class="xb-line")") == 2);
}

TEST_CASE("report/plot: values that are not positive have no place on a log axis") {
  LinePlot plot{"", {"x", "", Scale::log, {}, {}, {}}, {"y", "", Scale::log, {}, {}, {}}, {}};
  plot.series = {{"s", {-1, 0, 1, 10, 100}, {1, 1, 0, 5, 7}}};
  const std::string svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, "<title>") == 2);
}

TEST_CASE("report/plot: an error band below zero on a log axis reaches down to the axis") {
  LinePlot plot = error_plot();
  plot.series[0].lower = {-0.1, 0.5, nan_value, 9};
  plot.series[0].upper = {0.3, 1, 4, 13};
  const std::string svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, R"(class="xb-band")") == 1);
}

TEST_CASE("report/plot: plots without data say so") {
  for (const Scale scale : {Scale::linear, Scale::log, Scale::log2}) {
    LinePlot plot{"t", {"x", "s", scale, {}, {}, {}}, {"y", "V", scale, {}, {}, {}}, {}};
    std::string svg = plot.svg();
    check_sound(svg);
    CHECK(contains(svg, "no data"));
    plot.series = {{"all NaN", {1, 2}, {nan_value, nan_value}}, {"empty", {}, {}}};
    svg = plot.svg();
    check_sound(svg);
    CHECK(contains(svg, "no data"));
  }
  CHECK(contains(Heatmap{}.svg(), "no data"));
  CHECK(contains(BarPlot{}.svg(), "no data"));
  check_sound(Heatmap{}.svg());
  check_sound(BarPlot{}.svg());
}

TEST_CASE("report/plot: constant series and single points get a range around them") {
  for (const double value : {0.0, 5.0, -3e-9, 1e200}) {
    for (const std::size_t points : {std::size_t{1}, std::size_t{4}}) {
      CAPTURE(value, points);
      LinePlot plot{
          "",
          {"x"},
          {"y", "A"},
          {{"s", std::vector<double>(points, value), std::vector<double>(points, value)}}};
      const std::string svg = plot.svg();
      check_sound(svg);
      CHECK(count(svg, "<title>") == points);
    }
  }
}

TEST_CASE("report/plot: one bound given and the data beyond it still makes an axis") {
  for (const Scale scale : {Scale::linear, Scale::log}) {
    LinePlot plot{"", {"x"}, {"y", "", scale, {}, {}, {}}, {{"s", {1, 2}, {3, 4}}}};
    plot.y.min = 10;
    check_sound(plot.svg());
    plot.y.min.reset();
    plot.y.max = 1;
    check_sound(plot.svg());
  }
}

TEST_CASE("report/plot: points outside a fixed range carry no marker") {
  LinePlot plot{"", {"x"}, {"y", "", Scale::linear, 0, 10, {}}, {{"s", {1, 2, 3}, {5, 50, 6}}}};
  const std::string svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, "<title>") == 2);
}

TEST_CASE("report/plot: SI prefixes suit the range") {
  LinePlot plot{"", {"Time", "s"}, {"Current", "A"}, {{"s", {0, 5e-9, 1e-8}, {0, 2e-6, 4e-6}}}};
  const std::string svg = plot.svg();
  CHECK(contains(svg, ">Time (ns)<"));
  CHECK(contains(svg, ">Current (µA)<"));
  CHECK(contains(svg, ">10<"));
  plot.x = {"Resistance", "ohm", Scale::log, {}, {}, {}};
  plot.series = {{"s", {5e3, 2e4, 1e5}, {1, 2, 3}}};
  CHECK(contains(plot.svg(), ">Resistance (kΩ)<"));
  // Nine decades share no prefix: each label has its own (every second decade has a label).
  plot.series = {{"s", {1, 1e3, 1e9}, {1, 2, 3}}};
  CHECK(contains(plot.svg(), ">Resistance (Ω)<"));
  CHECK(contains(plot.svg(), ">100M<"));
}

TEST_CASE("report/plot: large plain numbers share a power of ten") {
  LinePlot plot{"", {"Updates"}, {"y"}, {{"s", {0, 3e7}, {0, 1}}}};
  CHECK(contains(plot.svg(), ">Updates (10⁶)<"));
}

TEST_CASE("report/plot: names stand at the lines or in a legend and never for one series") {
  LinePlot plot = error_plot();
  CHECK(count(plot.svg(), R"(class="xb-name")") >= 2);
  plot.legend = Legend::top;
  CHECK(count(plot.svg(), R"(class="xb-name")") == 0);
  CHECK(contains(plot.svg(), ">operating point<"));
  plot.legend = Legend::none;
  CHECK_FALSE(contains(plot.svg(), ">operating point<"));
  plot = error_plot();
  plot.series.pop_back();
  CHECK_FALSE(contains(plot.svg(), ">ladder<"));
}

TEST_CASE("report/plot: names at the lines do not overlap") {
  LinePlot plot{"", {"x"}, {"y"}, {}};
  for (int k = 0; k < 5; ++k) {
    plot.series.push_back({"s" + std::to_string(k), {0, 1}, {0, 1 + 1e-3 * k}});
  }
  const std::string svg = plot.svg();
  check_sound(svg);
  std::vector<double> bases;
  for (std::size_t at = svg.find(R"( class="xb-name")"); at != std::string::npos;
       at = svg.find(R"( class="xb-name")", at + 1)) {
    const std::size_t y = svg.rfind(" y=\"", at);
    bases.push_back(std::strtod(svg.c_str() + y + 4, nullptr));
  }
  REQUIRE(bases.size() == 5);
  std::sort(bases.begin(), bases.end());
  for (std::size_t i = 1; i < bases.size(); ++i) {
    CHECK(bases[i] - bases[i - 1] >= 13);  // text is 12 px high
  }
}

TEST_CASE("report/plot: text in plots is escaped") {
  LinePlot plot{
      "<script>alert(1)</script>", {"a<b"}, {"c&d"}, {{"\"s\"", {1}, {1}}, {"'t'", {2}, {2}}}};
  plot.y_references = {{1.5, "<i>"}};
  std::string svg = plot.svg();
  check_sound(svg);
  CHECK_FALSE(contains(svg, "<script"));
  CHECK_FALSE(contains(svg, "<i>"));
  Heatmap map{"<b>", slope(3, 3), "<c>\"", "<u>"};
  map.row_label = "\"<r>";
  svg = map.svg();
  check_sound(svg);
  CHECK_FALSE(contains(svg, "<b>"));
  BarPlot bars{"<b>", {"<x>"}, {"<g>"}, {{"<s>", {1}}, {"t", {2}}}};
  svg = bars.svg();
  check_sound(svg);
  CHECK_FALSE(contains(svg, "<g>g"));
}

TEST_CASE("report/plot: long curves are thinned for the page and keep their peaks") {
  LinePlot plot{"", {"t"}, {"y"}, {{"s", {}, {}}}};
  for (int i = 0; i < 100000; ++i) {
    plot.series[0].x.push_back(i);
    plot.series[0].y.push_back(i == 54321 ? 10 : std::sin(0.01 * i));
  }
  const std::string svg = plot.svg();
  check_sound(svg);
  // 480 columns of at most four points of at most 14 characters, and 40 tooltips.
  CHECK(svg.size() < 60000);
  plot.series[0].y[54321] = 0;
  CHECK(plot.svg() != svg);
}

TEST_CASE("report/plot: mismatched lengths and unusable axes are refused by name") {
  LinePlot plot = error_plot();
  plot.series[1].y.pop_back();
  CHECK_THROWS_WITH(plot.svg(), Catch::Matchers::Contains("operating point") &&
                                    Catch::Matchers::Contains("4 x values but 3 y"));
  plot = error_plot();
  plot.series[0].upper = {1, 2, 3, 4};
  CHECK_THROWS_AS(plot.svg(), xbar::InvalidArgument);
  plot = error_plot();
  plot.y.min = 0;
  CHECK_THROWS_WITH(plot.svg(), Catch::Matchers::Contains("y axis min"));
  plot = error_plot();
  plot.x.min = 5;
  plot.x.max = 5;
  CHECK_THROWS_WITH(plot.svg(), Catch::Matchers::Contains("min < max"));
  plot = error_plot();
  plot.width = nan_value;
  CHECK_THROWS_AS(plot.svg(), xbar::InvalidArgument);
  CHECK_THROWS_AS((BarPlot{"", {"x"}, {"a", "b"}, {{"s", {1}}}}.svg()), xbar::InvalidArgument);
  Heatmap map{"", slope(2, 2), "q", "V"};
  map.min = 2;
  map.max = 1;
  CHECK_THROWS_AS(map.svg(), xbar::InvalidArgument);
}

TEST_CASE("report/plot: a heat map shows its scale extremes and ports") {
  Heatmap map{"IR drop of a tile", slope(60, 64), "IR drop", "V"};
  map.ports = Ports::forward;
  const std::string svg = map.svg();
  check_sound(svg);
  // 3839 mV at the last cell: the prefix falls away. The mean of 0 .. 3839 is 1919.5.
  CHECK(contains(svg, ">IR drop (V)<"));
  CHECK(contains(svg, "driven from the left, sensed at the bottom"));
  CHECK(contains(svg, R"(data-rows="60")"));
  CHECK(contains(svg, R"(data-hi="3.839")"));
  CHECK(map.note() == "Largest 3.84\u00A0V at wordline 59, bitline 63; mean 1.92\u00A0V.");
  map.ports = Ports::backward;
  CHECK(contains(map.svg(), "driven from the bottom, sensed at the left"));
  map.ports = Ports::none;
  CHECK_FALSE(contains(map.svg(), "driven"));
}

TEST_CASE("report/plot: heat maps of one cell one row and one column") {
  for (const auto& [rows, cols] : {std::pair<int, int>{1, 1}, {1, 40}, {40, 1}, {2, 300}}) {
    CAPTURE(rows, cols);
    check_sound(Heatmap{"t", slope(rows, cols), "q", "V"}.svg());
    check_sound(Heatmap{"t", xbar::Matrix::Constant(rows, cols, 0.0), "q", "V"}.svg());
  }
  CHECK(contains(Heatmap{"", xbar::Matrix::Constant(1, 1, 0.0123), "q", "V"}.svg(), ">12.3<"));
}

TEST_CASE("report/plot: big heat maps are averaged and say so") {
  Heatmap map{"t", xbar::Matrix::Zero(512, 300), "q", "V"};
  map.values.topRows(1).setConstant(2);  // averages with row 1 to 1
  const std::string svg = map.svg();
  check_sound(svg);
  CHECK(contains(map.note(), "the mean of 2 x 2 cells"));
  CHECK(
      contains(svg, R"(data-rows="256" data-cols="150" data-block-rows="2" data-block-cols="2")"));
  CHECK(contains(svg, R"(data-hi="1")"));
  CHECK(contains(map.note(), "Largest 2\u00A0V"));  // of the cells, not of the averages
  map.values.resize(256, 256);
  map.values.setZero();
  CHECK_FALSE(contains(map.note(), "mean of"));
}

TEST_CASE("report/plot: a heat map of named lines on a logarithmic scale") {
  Heatmap map{"t", xbar::Matrix(2, 3), "error", "%"};
  map.values << 1e-3, 0.1, 10, 0, std::nan(""), 100;
  map.scale = xbar::report::Scale::log;
  map.row_label = "size";
  map.row_names = {"16", "<64>"};
  map.column_label = "line";
  map.column_names = {"0.5", "1", "10"};
  const std::string svg = map.svg();
  check_sound(svg);
  // Every value is written; 0 and NaN have no place on the scale.
  for (const char* text : {">0.001<", ">0.1<", ">10<", ">100<", ">16<", ">&lt;64&gt;<", ">0.5<"}) {
    CAPTURE(text);
    CHECK(contains(svg, text));
  }
  CHECK(map.note() == "Largest 100\u00A0% at size <64>, line 10. 2 of 6 cells without a value.");
  CHECK_FALSE(contains(svg, "data-q"));  // the pointer would read linear values

  map.row_names = {"16"};
  CHECK_THROWS_AS(map.svg(), xbar::InvalidArgument);
  map = {"t", xbar::Matrix::Ones(300, 2), "error", "%"};
  map.scale = xbar::report::Scale::log;
  CHECK_THROWS_AS(map.svg(), xbar::InvalidArgument);
}

TEST_CASE("report/plot: heat map cells without a value are counted and do not spoil the scale") {
  Heatmap map{"t", slope(20, 20), "q", "V"};
  map.values(3, 4) = nan_value;
  map.values(5, 6) = infinity;
  std::string svg = map.svg();
  check_sound(svg);
  CHECK(contains(map.note(), "2 of 400 cells without a value"));
  CHECK(contains(svg, R"(data-hi="399")"));  // mV
  map.values.setConstant(nan_value);
  svg = map.svg();
  check_sound(svg);
  CHECK(map.note() == "no data");
}

TEST_CASE("report/plot: bars start at zero and dots are used where they cannot") {
  BarPlot plot{"Accuracy",
               {"Accuracy", "%"},
               {"5k", "20k"},
               {{"none", {82.4, 93.6}}, {"srs", {87.1, 94.1}}}};
  std::string svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, R"(class="xb-bar")") == 4 + 2);  // and two samples in the legend
  CHECK(contains(svg, ">82.4<"));
  plot.axis.min = 80;
  svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, R"(class="xb-bar")") == 0);
  CHECK(count(svg, R"(class="xb-mark")") == 4 + 2);
}

TEST_CASE("report/plot: bar lengths are proportional and labels keep their decimals") {
  BarPlot plot{"", {"Time", "s"}, {"a", "b"}, {{"", {1, 2}}}};
  plot.decimals = 2;
  const std::string svg = plot.svg();
  check_sound(svg);
  CHECK(contains(svg, ">1.00<"));
  const std::vector<double> widths = attribute_values(svg, "width");
  REQUIRE(widths.size() == 3);  // the picture and two bars
  CHECK_THAT(widths[2], xbar_test::WithinAbs(2 * widths[1], 0.02));
}

TEST_CASE("report/plot: missing and negative bars are drawn as such") {
  BarPlot plot{"",
               {"Change", "points"},
               {"a", "b", "c"},
               {{"s", {1, nan_value, -0.5}, {0.1, nan_value, 0.2}}}};
  const std::string svg = plot.svg();
  check_sound(svg);
  CHECK(count(svg, R"(class="xb-bar")") == 2);
  CHECK(count(svg, R"(class="xb-whisker")") == 2);
  CHECK(contains(svg, ">n/a<"));
  CHECK(contains(svg, ">\u22120.5<"));
}
