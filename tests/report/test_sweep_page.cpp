#include <string>

#include <nlohmann/json.hpp>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/report/run_page.hpp>

#include "markup.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using xbar::report::run_page;
using xbar_test::contains;
using xbar_test::Contains;
using xbar_test::count;

namespace {

using Json = nlohmann::ordered_json;

/// The folder of a sweep in a temporary place.
struct SweepFolder {
  SweepFolder(const Json& keys, int points, int done, int failed) {
    const Json run = {{"xbar", "1.2.3"},
                      {"command", "sweep"},
                      {"finished", done + failed == points},
                      {"settings", {{"config", "s.toml"}, {"out", "d"}}},
                      {"results",
                       {{"command", "evaluate"},
                        {"sampling", "grid"},
                        {"keys", keys},
                        {"points", points},
                        {"done", done},
                        {"failed", failed},
                        {"table", "table.csv"},
                        {"times", "times.csv"}}}};
    write("run.json", run.dump(1));
  }
  void write(const std::string& name, const std::string& text) const {
    xbar::write_file_atomically(folder / name, text);
  }
  [[nodiscard]] std::string page() const { return run_page(folder.path()); }

  xbar_test::TemporaryFolder folder;
};

/// Two layouts at three resistances, two seeds each.
void write_study(const SweepFolder& sweep) {
  std::string table =
      "# a comment\npoint,layout,on-ohm,seed,status,error,wired.0.loss,"
      "wired.0.accuracy,ideal.accuracy,wired.0.technology.on_ohm\n";
  std::string times = "point,layout,on-ohm,seed,seconds\n";
  int id = 0;
  for (const char* layout : {"differential", "offset"}) {
    for (const char* ohm : {"1e4", "2e4", "5e4"}) {
      for (const char* seed : {"1", "2"}) {
        // The mean of the seeds of setting k is 0.50 + 0.04 k.
        const double accuracy = 0.49 + 0.02 * (2 * (id / 2) + id % 2);
        const std::string key = std::to_string(id++) + "," + layout + "," + ohm + "," + seed + ",";
        table += key + "done,,1.5," + std::to_string(accuracy) + ",0.98," + ohm + "\n";
        times += key + "2\n";
      }
    }
  }
  sweep.write("table.csv", table);
  sweep.write("times.csv", times);
}

}  // namespace

TEST_CASE("report/sweep_page: what is looked for first stands on top", "[report][sweep]") {
  const SweepFolder sweep({"layout", "on-ohm", "seed"}, 12, 12, 0);
  write_study(sweep);
  const std::string html = sweep.page();
  REQUIRE(xbar_test::markup_fault(html).empty());
  REQUIRE(xbar_test::outside_reference(html).empty());
  REQUIRE_FALSE(xbar_test::has_bad_coordinate(html));
  REQUIRE_THAT(html, Contains("All 12 points are done"));
  // Accuracy on arrays comes before the loss, which is first in the table: 0.50 + 0.04 x 5 = 0.70.
  REQUIRE_THAT(html, Contains("Best wired.0.accuracy") && Contains(">70.00<"));
  REQUIRE_THAT(html, Contains("Worst wired.0.accuracy") && Contains(">50.00<"));
  REQUIRE_THAT(html, Contains("At layout offset, on-ohm 50000."));
  REQUIRE_THAT(html, Contains("One takes 2\u00A0s (median)."));
  // A setting of the technology that results repeat is no result.
  REQUIRE_FALSE(contains(html, "technology.on_ohm"));
  // Two accuracies, loss and time against each of the two keys.
  REQUIRE(count(html, "shaded: 95 % interval of the mean") == 4);
  REQUIRE(count(html, "whiskers: 95 % interval of the mean") == 4);
  REQUIRE(count(html, "<figure") == 8);
  // Student's t at one degree of freedom: 12.706 x 0.02/2.
  REQUIRE(count(html, ">12.71<") == 6);
}

TEST_CASE("report/sweep_page: failures with their errors, and what is open", "[report][sweep]") {
  const SweepFolder sweep({"source-ohm"}, 4, 1, 1);
  sweep.write("table.csv",
              "point,source-ohm,status,error,power_watt\naa,1,done,,1e-3\n"
              "bb,2,failed,\"xbar: none.csv: cannot <read>, sorry\"\n");
  REQUIRE_THROWS_WITH(sweep.page(), Contains("table.csv:3: expected 5 cells"));
  sweep.write("table.csv",
              "point,source-ohm,status,error,power_watt\naa,1,done,,1e-3\n"
              "bb,2,failed,\"xbar: none.csv: cannot <read>, sorry\",\n");
  sweep.write("times.csv", "point,source-ohm,seconds\naa,1,0.5\nbb,2,0.25\n");
  const std::string html = sweep.page();
  REQUIRE(xbar_test::markup_fault(html).empty());
  REQUIRE_THAT(html, Contains("1 of 4 points failed") && Contains("2 points not run yet"));
  REQUIRE_THAT(html, Contains("xbar: none.csv: cannot &lt;read&gt;, sorry"));
  sweep.write("table.csv", "point,other,status,error\n");
  REQUIRE_NOTHROW(sweep.page());
  sweep.write("table.csv", "point,other,status,error\naa,1,done,\n");
  REQUIRE_THROWS_WITH(sweep.page(), Contains("expected a column source-ohm, found none"));
}

TEST_CASE("report/sweep_page: many settings are shown by their mean, or as marks",
          "[report][sweep]") {
  const SweepFolder sweep({"a", "b"}, 90, 90, 0);
  std::string table = "point,a,b,status,error,power_watt\n";
  std::string times = "point,a,b,seconds\n";
  for (int k = 0; k < 90; ++k) {
    const std::string key =
        std::to_string(k) + "," + std::to_string(k % 3) + "," + std::to_string(0.5 + k) + ",";
    table += key + "done,," + std::to_string(k) + "\n";
    times += key + "1\n";
  }
  sweep.write("table.csv", table);
  sweep.write("times.csv", times);
  const std::string html = sweep.page();
  REQUIRE_FALSE(xbar_test::has_bad_coordinate(html));
  // Of the result and of the time.
  REQUIRE(count(html, "Means over all other settings; shaded: least to largest.") == 2);
  REQUIRE(count(html, "A mark a point.") == 2);
}
