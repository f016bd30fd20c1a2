#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/core/array_file.hpp>
#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/report/run_page.hpp>

#include "markup.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using nlohmann::ordered_json;
using xbar::report::run_page;
using xbar_test::contains;
using xbar_test::count;
using xbar_test::message_of;
using xbar_test::TemporaryFolder;

namespace {

using Json = ordered_json;

Json technology(double on_ohm) {
  return {{"on_ohm", on_ohm},  {"on_off_ratio", 10.0}, {"source_ohm", 500.0},
          {"sink_ohm", 100.0}, {"wordline_ohm", 2.5},  {"bitline_ohm", 2.5},
          {"tile_rows", 64},   {"tile_columns", 64},   {"terminals", "keep"},
          {"gain", "none"},    {"write_noise", 0.0}};
}

Json error_row(double size, double on_ohm, double line_ohm, const char* model, double mean) {
  return {{"size", size},
          {"on_ohm", on_ohm},
          {"on_off_ratio", 10.0},
          {"source_ohm", 100.0},
          {"sink_ohm", 100.0},
          {"wordline_ohm", line_ohm},
          {"bitline_ohm", line_ohm},
          {"model", model},
          {"mean_error", mean},
          {"worst_error", 2 * mean},
          {"seconds", 1e-4},
          {"exact_seconds", 0.02}};
}

/// Errors of the three models at one point; the operating-point ladder's worst is 2 * `mean`.
void add_point(Json& rows, double size, double on_ohm, double line_ohm, double mean) {
  rows.push_back(error_row(size, on_ohm, line_ohm, "ideal", 100 * mean));
  rows.push_back(error_row(size, on_ohm, line_ohm, "ladder", 10 * mean));
  rows.push_back(error_row(size, on_ohm, line_ohm, "operating-point", mean));
}

Json training_run(const char* name, double on_ohm, double accuracy) {
  Json run = {{"name", name}, {"arithmetic", on_ohm > 0 ? "wired" : "ideal"}};
  if (on_ohm > 0) {
    run["technology"] = technology(on_ohm);
    run["surrogate"] = "operating-point";
    run["refresh"] = 20;
    run["headroom"] = 4.0;
  }
  run["test_accuracy"] = accuracy;
  run["exact_accuracy"] = accuracy - (on_ohm > 0 ? 0.001 : 0);
  run["test_loss"] = 0.1;
  run["images_per_second"] = 1234.0;
  run["train_seconds"] = 183.0;
  run["epochs"] = Json::array();
  for (const int epoch : {1, 2}) {
    run["epochs"].push_back({{"epoch", epoch},
                             {"train_loss", 0.5 / epoch},
                             {"train_accuracy", 0.9},
                             {"test_loss", 0.2},
                             {"test_accuracy", accuracy - 0.1 / epoch},
                             {"seconds", 1.5}});
  }
  run["weights"] = "weights.safetensors";
  return run;
}

Json comparison(double as_is, double remapped, int put_right, int spoilt) {
  return {{"as_is", {{"accuracy", as_is}, {"loss", 0.30}}},
          {"remapped", {{"accuracy", remapped}, {"loss", 0.25}}},
          {"put_right", put_right},
          {"spoilt", spoilt},
          {"technology", technology(5e3)}};
}

Json run_json(const char* command, Json results, bool finished = true) {
  return {{"xbar", "1.2.3"},
          {"command", command},
          {"finished", finished},
          {"settings", {{"seed", "1"}, {"on-ohm", "[20000,100000]"}, {"resume", ""}}},
          {"results", std::move(results)}};
}

/// A run folder in a temporary place.
struct RunFolder {
  explicit RunFolder(const Json& run) { write(run); }
  void write(const Json& run) const {
    xbar::write_file_atomically(folder / "run.json", run.dump(1));
  }
  [[nodiscard]] std::string page() const { return run_page(folder.path()); }

  TemporaryFolder folder;
};

Json quickstart_json(bool finished = true) {
  Json array = {{"size", 64},
                {"technology", technology(20e3)},
                {"line_seconds", 4e-4},
                {"direct_seconds", 0.03},
                {"iterations", 6},
                {"kcl_residual", 5e-12},
                {"agreement", 6e-16},
                {"errors", Json::array()},
                {"ir_drop", "ir_drop.npy"}};
  add_point(array["errors"], 64, 20e3, 2.5, 0.01);
  Json study = {{"by_size", Json::array()}, {"by_line", Json::array()}};
  for (const double size : {16., 32., 64.}) add_point(study["by_size"], size, 20e3, 1, size * 1e-5);
  for (const double line : {0.1, 1., 10.}) add_point(study["by_line"], 64, 20e3, line, line * 1e-3);
  Json training = {{"model", "mlp"},
                   {"data", "glyphs"},
                   {"train_images", 12000},
                   {"test_images", 2000},
                   {"runs", {training_run("ideal", 0, 0.98), training_run("wired", 20e3, 0.975)}},
                   {"deployed", {{"accuracy", 0.9655}, {"calibrated_accuracy", 0.9740}}}};
  Json certificate = {{"tiles", 32}, {"total", 124}, {"rows", Json::array()}};
  for (const char* model : {"ideal", "ladder", "operating-point"}) {
    certificate["rows"].push_back(
        {{"model", model}, {"mean_error", 0.002}, {"worst_error", 0.00432}});
  }
  Json remap = comparison(0.9645, 0.967, 23, 18);
  remap["strategy"] = "srs";
  remap["ideal_accuracy"] = 0.98;
  return run_json("quickstart",
                  {{"machine", {{"isa", "avx2"}, {"threads", 4}}},
                   {"array", array},
                   {"study", study},
                   {"training", training},
                   {"certificate", certificate},
                   {"remap", remap},
                   {"seconds", 123.2}},
                  finished);
}

/// With the IR drop beside it.
RunFolder& with_ir_drop(RunFolder& run) {
  xbar::Matrix lost(2, 3);
  lost << 0.1, 0.2, 0.3, 0.2, 0.3, 0.4;
  xbar::write_array(run.folder / "ir_drop.npy", lost);
  return run;
}

Json deployed(double on_ohm, const char* gain, double accuracy) {
  return {
      {"technology", technology(on_ohm)}, {"gain", gain}, {"accuracy", accuracy}, {"loss", 0.2}};
}

Json train_json(double wired_accuracy, bool finished = true) {
  return run_json("train",
                  {{"model", "lenet5"},
                   {"data", "mnist"},
                   {"train_images", 60000},
                   {"test_images", 10000},
                   {"runs",
                    {training_run("ideal", 0, 0.99), training_run("a", 20e3, wired_accuracy),
                     training_run("b", 100e3, 0.989)}},
                   {"deployed",
                    {deployed(20e3, "none", 0.95), deployed(20e3, "column", 0.985),
                     deployed(100e3, "none", 0.985), deployed(100e3, "column", 0.989)}}},
                  finished);
}

Json validate_json() {
  Json rows = Json::array();
  for (const double on : {20e3, 100e3}) {
    for (const double size : {16., 64.}) {
      for (const double line : {0.1, 5.}) add_point(rows, size, on, line, 1e-8 * size * on * line);
    }
  }
  return run_json("validate", {{"study", rows}});
}

Json remap_json(const std::vector<Json>& comparisons) {
  return run_json("remap", {{"model", "mlp"},
                            {"data", "glyphs"},
                            {"strategy", "srs"},
                            {"calibration_images", 1000},
                            {"test_images", 2000},
                            {"ideal", {{"accuracy", 0.973}, {"loss", 0.09}}},
                            {"comparisons", comparisons},
                            {"column_order", "column_order.json"}});
}

RunFolder& with_column_order(RunFolder& run) {
  const Json orders = {{"fc1", {{"slot_of_output", {2, 0, 1}}, {"sensitivity", {0.1, 0.6, 0.3}}}},
                       {"fc2", {{"slot_of_output", {0, 1}}, {"sensitivity", {0.5, 0.0}}}}};
  xbar::write_file_atomically(run.folder / "column_order.json", orders.dump());
  return run;
}

void check_sound(const std::string& html) {
  const std::string fault = xbar_test::markup_fault(html);
  const std::string outside = xbar_test::outside_reference(html);
  CAPTURE(fault, outside);
  CHECK(fault.empty());
  CHECK(outside.empty());
  CHECK_FALSE(xbar_test::has_bad_coordinate(html));
}

/// Everything between <main> and </main>: without the page's style and script.
std::string main_part(const std::string& html) {
  const std::size_t start = html.find("<main>");
  return html.substr(start, html.find("</main>") - start);
}

/// Without tags, so that a number can be looked for beside its unit.
std::string text_of(const std::string& html) {
  std::string text;
  bool inside = false;
  for (const char c : html) {
    inside = c == '<' || (inside && c != '>');
    if (!inside && c != '>') text += c;
  }
  return text;
}

}  // namespace

TEST_CASE("report/run_page: a quickstart shows what it found") {
  RunFolder run(quickstart_json());
  const std::string html = with_ir_drop(run).page();
  check_sound(html);
  const std::string text = text_of(html);
  // The verdict is the training's surrogate on the trained arrays.
  CHECK(contains(text, "the surrogate is within 0.432\u00A0% of the exact circuit"));
  CHECK(contains(html, "verdict s-good"));
  CHECK(contains(text, "98.00%"));  // card: ideal
  CHECK(contains(text, "96.55%"));  // card: deployed
  CHECK(contains(text, "97.40%"));  // card: 0.975 less 0.001 in the exact circuit
  CHECK(contains(text, "\u22121.45\u00A0points to ideal"));  // 0.9655 - 0.98
  CHECK(contains(text, "75times faster"));                   // 0.03 / 0.0004
  CHECK(contains(text, "32 of the 124 trained arrays"));
  CHECK(contains(text, "20\u00A0kΩ to 200\u00A0kΩ"));
  CHECK(contains(text, "2\u00A0min 3\u00A0s"));  // 123.2 s
  CHECK(contains(text, "4 threads"));
  CHECK(contains(text, "xbar 1.2.3"));
  CHECK(contains(text, "put 23 images right and spoilt 18"));
  // IR drop, its profile, two error plots, two by epoch, accuracy, speed, two of re-mapping.
  CHECK(count(html, "<figure>") == 10);
  CHECK(contains(text, "Largest 40"));  // 0.4 as percent
  CHECK(html == run.page());
}

TEST_CASE("report/run_page: a training is compared with ideal arithmetic") {
  // 10,000 images at 0.99 and 0.979: variances 0.0099 / 10^4 and 0.0206 / 10^4, so 0.34 points are
  // chance and 1.1 points are not.
  const std::string html = RunFolder(train_json(0.98)).page();
  check_sound(html);
  const std::string text = text_of(html);
  CHECK(contains(text, "costs up to 1.10\u00A0points of accuracy"));
  CHECK(contains(text, "differences of up to about 0.3 points can be chance"));
  CHECK(contains(html, "verdict s-warn"));
  CHECK(contains(text, "Training lenet5 on mnist"));
  CHECK(contains(text, "60,000 training and 10,000 test images"));
  CHECK(contains(text, "Through arrays, R_on\u00A0100\u00A0kΩ"));
  CHECK(contains(text, "1234"));
  CHECK(contains(text, "3\u00A0min 3\u00A0s"));  // 183 s
  CHECK(count(html, "<table") == 1);
  CHECK(count(html, "<tr>") == 1 + 3 + 4);  // heading, trainings, deployments

  // 0.989 - 0.001 against 0.99 is within 0.29 points.
  const std::string close = RunFolder(train_json(0.99)).page();
  CHECK(contains(close, "verdict s-good"));
  CHECK(contains(close, "does as well as with ideal arithmetic"));
}

TEST_CASE("report/run_page: a training without the one or the other mode has its page") {
  Json run = train_json(0.98);
  run["results"]["runs"].erase(0);
  run["results"]["deployed"] = Json::array();
  const std::string wired = RunFolder(run).page();
  check_sound(wired);
  CHECK(contains(wired, "Trained through wired arrays: 97.90\u00A0% of 10,000 test images"));
  CHECK_FALSE(contains(main_part(wired), "n/a"));

  run = train_json(0.98);
  run["results"]["runs"].erase(1);
  run["results"]["runs"].erase(1);
  const std::string ideal = RunFolder(run).page();
  check_sound(ideal);
  CHECK(contains(ideal, "the same weights reach 95.00\u00A0% at R_on 20\u00A0kΩ"));
}

TEST_CASE("report/run_page: a validation names its worst point and counts the good ones") {
  // Worst errors of the operating-point ladder are 2e-8 * size * R_on * line: largest at 64, 100
  // kΩ, 5 Ω with 64 %. At most 1 %: 16 and 64 with 0.1 Ω and 20 kΩ (0.064 %, 0.256 %), 16 and 100
  // kΩ (0.32 %); 64, 0.1 Ω, 100 kΩ is 1.28 %, everything with 5 Ω is 3.2 % or more.
  const std::string html = RunFolder(validate_json()).page();
  check_sound(html);
  const std::string text = text_of(html);
  CHECK(contains(text, "within 1\u00A0% of the exact solver at 3 of 8 points"));
  CHECK(contains(text,
                 "64\u00A0%, is at 64\u00A0×\u00A064, R_on 100\u00A0kΩ, 5\u00A0Ω a line segment"));
  CHECK(contains(text, "200times"));  // 20 ms / 0.1 ms
  // R_on x line, R_on at the largest size, time and its ratio.
  CHECK(count(html, "<figure>") == 4 + 2 + 2);
  CHECK(count(html, "<tr>") == 18);  // times and errors, a heading and 8 points each
  CHECK(count(html, "class=\"sortable\"") == 2);
}

TEST_CASE("report/run_page: one point and lines without resistance are no trouble") {
  Json rows = Json::array();
  add_point(rows, 32, 20e3, 0, 1e-3);
  check_sound(RunFolder(run_json("validate", {{"study", rows}})).page());
  add_point(rows, 32, 20e3, 1, 2e-3);
  const std::string html = RunFolder(run_json("validate", {{"study", rows}})).page();
  check_sound(html);
  CHECK(contains(html, "no place on a logarithmic axis"));
}

TEST_CASE("report/run_page: a re-mapping is judged by a sign test") {
  SECTION("3 against 5 of 8 images is noise: 2 (1 + 8 + 28 + 56) / 2^8 = 73 %") {
    RunFolder run(remap_json({comparison(0.974, 0.973, 3, 5), comparison(0.975, 0.975, 1, 1)}));
    const std::string html = with_column_order(run).page();
    check_sound(html);
    CHECK(contains(html, "no difference beyond the noise of the test set"));
    CHECK(contains(html, "\u22120.10 to 0.00\u00A0points"));
    CHECK(contains(html, ">73\u00A0%<"));
    CHECK(contains(html, ">100\u00A0%<"));
    CHECK(contains(html, "fc1: 3 outputs"));
  }
  SECTION("10 against 0 is none: 2 / 2^10 = 0.2 %") {
    RunFolder run(remap_json({comparison(0.970, 0.975, 10, 0)}));
    const std::string html = with_column_order(run).page();
    CHECK(contains(html, "verdict s-good"));
    CHECK(contains(html, "+0.50\u00A0points"));
    CHECK(contains(html, "in 0.2\u00A0% of cases"));
    CHECK(contains(html, "more than the noise of the test set"));
  }
  SECTION("harm is called harm") {
    RunFolder run(remap_json({comparison(0.975, 0.970, 0, 10)}));
    CHECK(contains(with_column_order(run).page(), "verdict s-bad"));
  }
  SECTION("nothing changed") {
    RunFolder run(remap_json({comparison(0.975, 0.975, 0, 0)}));
    CHECK(contains(with_column_order(run).page(), "Not one test image changed"));
  }
  SECTION("thousands of changes neither overflow nor vanish") {
    // 5050 of 10,000 is one standard deviation (50): 32 %, with continuity correction 99 / 100 of
    // one, 32.2 %.
    RunFolder run(remap_json({comparison(0.97, 0.98, 5050, 4950)}));
    CHECK(contains(with_column_order(run).page(), "in 32\u00A0% of cases"));
  }
}

TEST_CASE("report/run_page: an unfinished run says so and shows what is there") {
  Json run = quickstart_json(false);
  for (const char* part : {"study", "training", "certificate", "remap", "seconds"}) {
    run["results"].erase(part);
  }
  RunFolder folder(run);
  const std::string html = with_ir_drop(folder).page();
  check_sound(html);
  CHECK(contains(html, "This run is not finished"));
  CHECK(contains(html, "verdict s-warn"));
  CHECK(contains(html, "IR drop"));
  CHECK_FALSE(contains(html, "Certificate"));

  for (const char* command : {"quickstart", "train", "validate", "remap"}) {
    CAPTURE(command);
    const std::string empty = RunFolder(run_json(command, Json::object(), false)).page();
    check_sound(empty);
    CHECK(contains(empty, "This run is not finished"));
  }
  Json train = train_json(0.98, false);
  train["results"]["runs"].erase(2);
  CHECK(contains(RunFolder(train).page(), "This run is not finished"));
}

TEST_CASE("report/run_page: what is wrong is named with file and key") {
  const auto complaint = [](const Json& run) {
    RunFolder folder(run);
    return message_of<xbar::IoError>([&] { (void)with_ir_drop(folder).page(); });
  };
  Json run = quickstart_json();
  run["results"].erase("training");
  CHECK(contains(complaint(run), "run.json: results.training: expected a value, found none"));
  run = quickstart_json();
  run["results"]["training"]["runs"][1]["epochs"][0]["epoch"] = "one";
  CHECK(contains(complaint(run),
                 "results.training.runs[1].epochs[0].epoch: expected a number, found string"));
  run = quickstart_json();
  run["results"]["certificate"]["tiles"] = 1.5;
  CHECK(contains(complaint(run), "results.certificate.tiles: expected a whole number >= 0"));
  run = quickstart_json();
  run["results"]["array"]["ir_drop"] = "../ir_drop.npy";
  CHECK(contains(complaint(run), "inside the folder, found '../ir_drop.npy'"));
  run = quickstart_json();
  run["results"]["array"]["ir_drop"] = "elsewhere.npy";
  CHECK(contains(complaint(run), "elsewhere.npy"));
  CHECK(contains(complaint({{"name", "a package"}}), "run.json: xbar: expected a value"));
  CHECK(contains(complaint(Json::array({1, 2})), "content: expected an object, found array"));
}

TEST_CASE("report/run_page: damaged and missing files are refused by name") {
  TemporaryFolder folder;
  CHECK(contains(message_of<xbar::IoError>([&] { (void)run_page(folder.path()); }), "run.json"));
  xbar::write_file_atomically(folder / "run.json", quickstart_json().dump().substr(0, 500));
  CHECK(contains(message_of<xbar::IoError>([&] { (void)run_page(folder.path()); }),
                 "run.json: expected JSON"));

  const RunFolder no_map(quickstart_json());
  CHECK(contains(message_of<xbar::IoError>([&] { (void)no_map.page(); }), "ir_drop.npy"));
  const RunFolder no_order(remap_json({comparison(0.97, 0.98, 1, 1)}));
  CHECK(contains(message_of<xbar::IoError>([&] { (void)no_order.page(); }), "column_order.json"));
  xbar::write_file_atomically(no_order.folder / "column_order.json",
                              R"({"fc1": {"slot_of_output": [0], "sensitivity": [1, 2]}})");
  CHECK(contains(message_of<xbar::IoError>([&] { (void)no_order.page(); }),
                 "column_order.json: fc1.slot_of_output: expected 2 slots"));

  const RunFolder other(run_json("sweep", Json::object()));
  CHECK(contains(message_of<xbar::InvalidArgument>([&] { (void)other.page(); }),
                 "expected quickstart, train, validate or remap, found 'sweep'"));
}

TEST_CASE("report/run_page: NaN, which JSON writes as null, is n/a") {
  Json run = quickstart_json();
  run["results"]["training"]["deployed"]["accuracy"] = std::nan("");
  run["results"]["training"]["runs"][0]["epochs"][1]["train_loss"] = nullptr;
  run["results"]["study"]["by_size"][4]["worst_error"] = nullptr;
  run["results"]["array"]["agreement"] = nullptr;
  RunFolder folder(run);
  const std::string html = with_ir_drop(folder).page();
  check_sound(html);
  CHECK(contains(main_part(html), "n/a"));
  CHECK(contains(main_part(html), "s-bad"));  // an agreement that nobody knows is not good
}

TEST_CASE("report/run_page: text from the file stays text") {
  Json run = train_json(0.98);
  run["results"]["model"] = "<script>alert(1)</script>";
  run["settings"]["seed"] = "1; rm -rf 'x' & <b>";
  const std::string html = RunFolder(run).page();
  check_sound(html);
  CHECK(count(html, "<script>") == 1);  // the page's own
  // The command that repeats the run keeps the shell from reading more than a word.
  CHECK(contains(html, "--seed &#39;1; rm -rf &#39;\\&#39;&#39;x"));
  CHECK(contains(html, "--on-ohm 20000,100000"));
  CHECK_FALSE(contains(html, "--resume"));
}

TEST_CASE("report/run_page: no change of a single value makes it crash") {
  // Every value in turn becomes null, a negative and a huge number, and nothing at all.
  const auto survives = [](const RunFolder& folder, const Json& run) {
    std::ofstream(folder.folder / "run.json") << run;
    try {
      const std::string html = folder.page();
      CHECK(xbar_test::markup_fault(html).empty());
      CHECK_FALSE(xbar_test::has_bad_coordinate(html));
    } catch (const xbar::IoError&) {
    } catch (const xbar::InvalidArgument& error) {
      CHECK(contains(std::string(error.what()), "run.json: command"));
    }
  };
  // Little of everything.
  Json quickstart = quickstart_json();
  Json& study = quickstart["results"]["study"];
  quickstart["results"]["array"]["errors"].erase(2);
  study["by_size"] = {error_row(16, 20e3, 1, "ladder", 0.1), error_row(32, 20e3, 1, "ladder", 0.2)};
  study["by_line"] = {error_row(16, 20e3, 1, "ladder", 0.1)};
  Json train = train_json(0.98);
  train["results"]["runs"].erase(2);
  train["results"]["deployed"].erase(3);
  train["results"]["deployed"].erase(2);
  const Json rows = {error_row(16, 20e3, 1, "operating-point", 0.1),
                     error_row(32, 20e3, 2, "operating-point", 0.1),
                     error_row(32, 20e3, 2, "ideal", 0.1)};
  const std::vector<Json> runs = {quickstart, train, run_json("validate", {{"study", rows}}),
                                  remap_json({comparison(0.97, 0.98, 3, 1)})};
  for (const Json& run : runs) {
    RunFolder folder(run);
    with_ir_drop(folder);
    with_column_order(folder);
    const Json flat = run.flatten();
    for (const auto& [path, value] : flat.items()) {
      const Json::json_pointer at(path);
      CAPTURE(path);
      for (const Json& other : {Json(nullptr), Json(-1.5), Json(1e308)}) {
        Json changed = run;
        changed[at] = other;
        survives(folder, changed);
      }
      if (run[at.parent_pointer()].is_object()) {
        Json changed = run;
        changed[at.parent_pointer()].erase(at.back());
        survives(folder, changed);
      }
    }
  }
}
