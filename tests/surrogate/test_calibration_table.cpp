#include <cmath>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/surrogate_calibrate/calibration_table.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar::surrogate::CalibrationRow;
using xbar::surrogate::CalibrationTable;
using xbar::surrogate::format_calibration_table;
using xbar::surrogate::ModelKind;
using xbar::surrogate::parse_calibration_table;
using xbar_test::Contains;

namespace {

const std::string needed =
    "model,rows,columns,on_ohm,on_off_ratio,source_ohm,sink_ohm,wordline_ohm,bitline_ohm,"
    "relative_error";
const std::string row = "ladder,64,32,20000,10,100,200,1,2,0.03";

std::string message(const std::string& text) {
  return xbar_test::message_of<xbar::IoError>(
      [&] { (void)parse_calibration_table(text, "t.csv"); });
}

}  // namespace

TEST_CASE("surrogate/calibration_table: what is written reads back to the same", "[surrogate]") {
  CalibrationTable table;
  table.comments = {"made by hand", "errors: shares"};
  CalibrationRow first;
  first.point.rows = 7;
  first.point.columns = 9;
  first.point.on_ohm = 1e5 / 3;  // no short decimal
  first.point.wires = {1, 2, 0.1, 0.2};
  first.point.distribution = xbar::surrogate::WeightDistribution::sparse;
  first.point.sinh_alpha = 2.5;
  first.measurement = {ModelKind::sneak_ladder, 1.0 / 3, 2, 3, 4, 0.9, 6, 7, 8, 9, 1e-6, 1.1e-5};
  CalibrationRow second = first;
  second.measured = true;
  second.measurement.worst_error = NAN;
  table.rows = {first, second};

  const std::string text = format_calibration_table(table);
  const CalibrationTable back = parse_calibration_table(text, "t.csv");
  REQUIRE(format_calibration_table(back) == text);
  REQUIRE(back.comments == table.comments);
  REQUIRE(back.rows.size() == 2);
  REQUIRE(back.rows[0].point == first.point);
  REQUIRE(back.rows[0].measurement.model == ModelKind::sneak_ladder);
  REQUIRE(back.rows[0].measurement.relative_error == 1.0 / 3);
  REQUIRE(back.rows[0].measurement.relative_error_after_gain == 6);
  REQUIRE(back.rows[0].measurement.last_column_gain == 8);
  REQUIRE(back.rows[0].measurement.effective_seconds == 1.1e-5);
  REQUIRE(back.rows[0].model_name() == "sneak-ladder");
  REQUIRE(back.rows[1].measured);
  REQUIRE(back.rows[1].model_name() == "measured");
  REQUIRE(std::isnan(back.rows[1].measurement.worst_error));
}

TEST_CASE("surrogate/calibration_table: the fewest columns, in any order", "[surrogate]") {
  const CalibrationTable table = parse_calibration_table(
      "\xef\xbb\xbf# from the lab\r\n"
      "relative_error, gain,on_ohm,on_off_ratio,source_ohm,sink_ohm,wordline_ohm,bitline_ohm,"
      "columns,rows,model\r\n\r\n"
      "0.4, 0.7,5e3,20,10,20,3,4,32,64,measured\r\n"
      "0.1,,5e3,20,10,20,3,4,32,64,ladder",
      "t.csv");
  REQUIRE(table.comments == std::vector<std::string>{"from the lab"});
  REQUIRE(table.rows.size() == 2);
  const CalibrationRow& measured = table.rows[0];
  REQUIRE(measured.measured);
  REQUIRE(measured.point.rows == 64);
  REQUIRE(measured.point.columns == 32);
  REQUIRE(measured.point.on_ohm == 5000);
  REQUIRE(measured.point.wires == xbar::WireResistance{10, 20, 3, 4});
  REQUIRE(measured.point.density == 0.5);  // CalibrationPoint's
  REQUIRE(measured.measurement.relative_error == 0.4);
  REQUIRE(measured.measurement.gain == 0.7);
  REQUIRE(std::isnan(measured.measurement.effective_seconds));
  REQUIRE(std::isnan(table.rows[1].measurement.gain));
}

TEST_CASE("surrogate/calibration_table: errors name line and column", "[surrogate]") {
  REQUIRE_THAT(message(""), Contains("t.csv") && Contains("names of the columns"));
  REQUIRE_THAT(message("# a\nmodel,row\n"),
               Contains("line 2: column 2") && Contains("'row'; did you mean rows?"));
  REQUIRE_THAT(message("model,rows,model\n"),
               Contains("line 1: column 3: model stands there twice"));
  REQUIRE_THAT(message("model,rows\n"), Contains("expected a column columns"));
  const auto with = [](std::string changed, const std::string& from, const std::string& to) {
    changed.replace(changed.find(from), from.size(), to);
    return needed + "\n" + changed + "\n";
  };
  REQUIRE_THAT(message(with(row, "ladder", "laddr")),
               Contains("line 2: column 1 (model)") && Contains("did you mean ladder?"));
  REQUIRE_THAT(message(with(row, "64", "6.4")),
               Contains("line 2: column 2 (rows): expected a whole number, got '6.4'"));
  REQUIRE_THAT(message(with(row, "32", "")),
               Contains("column 3 (columns): expected a whole number, got nothing"));
  REQUIRE_THAT(message(with(row, "20000", "-1")),
               Contains("line 2: column 4 (on_ohm): expected a finite resistance > 0 ohm, got -1"));
  REQUIRE_THAT(message(with(row, "200,", "nan,")), Contains("column 7 (sink_ohm)"));
  REQUIRE_THAT(message(with(row, "0.03", "-0.03")),
               Contains("column 10 (relative_error): expected 0 or more, finite, got -0.03"));
  REQUIRE_THAT(message(with(row, "0.03", "3%")), Contains("column 10") && Contains("'3%'"));
  REQUIRE_THAT(message(needed + "\n" + row + ",1\n"),
               Contains("line 2: expected 10 fields, got 11"));
  // What is left of a line that was cut off.
  REQUIRE_THAT(message(needed + "\n" + row + "\nladder,64,3"),
               Contains("line 3: expected 10 fields, got 3"));
  REQUIRE_THAT(message(needed + "\n" + row + "\n# again\n" + row + "\n"),
               Contains("line 4: the same model at the same point as in line 2"));
}

TEST_CASE("surrogate/calibration_table: a missing file is named", "[surrogate]") {
  REQUIRE_THAT(xbar_test::message_of<xbar::IoError>(
                   [] { (void)xbar::surrogate::read_calibration_table("no/such/table.csv"); }),
               Contains("no/such/table.csv"));
}
