#include <cmath>
#include <filesystem>
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
          {"weights", "uniform"},
          {"model", model},
          {"relative_error", mean},
          {"mean_error", mean},
          {"worst_error", 2 * mean},
          {"seconds", 1e-4},
          {"exact_seconds", 0.02}};
}

/// Errors of the three models at one point; the operating-point ladder's relative error is `mean`.
void add_point(Json& rows, double size, double on_ohm, double line_ohm, double mean) {
  rows.push_back(error_row(size, on_ohm, line_ohm, "ideal", 100 * mean));
  rows.push_back(error_row(size, on_ohm, line_ohm, "ladder", 10 * mean));
  rows.push_back(error_row(size, on_ohm, line_ohm, "operating-point", mean));
}

Json training_run(const char* name, double on_ohm, double accuracy) {
  Json run = {{"name", name}, {"arithmetic", on_ohm > 0 ? "wired" : "ideal"}};
  if (on_ohm > 0) {
    run["technology"] = technology(on_ohm);
    const Json measured = {{"surrogate", "operating-point"}, {"checks", 60},
                           {"mean_error", 0.0004},           {"worst_error", 0.0014},
                           {"worst_fresh_error", 0.00002},   {"broken", 2}};
    Json layer = measured;
    layer["name"] = "fc1";
    layer["refresh"] = 160;
    run["certificate"] = measured;
    run["certificate"]["time_share"] = 0.0124;
    run["certificate"]["layers"] = Json::array({layer});
    run["headroom"] = 4.0;
  }
  run["test_accuracy"] = accuracy;
  run["exact_accuracy"] = accuracy - (on_ohm > 0 ? 0.001 : 0);
  run["test_loss"] = 0.1;
  run["images_per_second"] = 1234.0;
  run["train_seconds"] = 183.0;
  run["phase_seconds"] = {
      {"data", 3.0}, {"forward", 80.0}, {"converters", 0.0}, {"evaluation", 12.5}};
  run["metrics"] = "metrics.jsonl";
  run["weights"] = "weights.safetensors";
  return run;
}

Json comparison(double as_is, double remapped, int put_right, int spoilt) {
  return {{"strategy", "srs"},
          {"as_is", {{"accuracy", as_is}, {"loss", 0.30}, {"layer_error", {0.1, 0.2}}}},
          {"remapped", {{"accuracy", remapped}, {"loss", 0.25}, {"layer_error", {0.05, 0.1}}}},
          {"seconds", 2.5},
          {"put_right", put_right},
          {"spoilt", spoilt},
          {"certificate", {{"surrogate", "ladder"}, {"worst_error", 0.0123}}},
          {"technology", technology(5e3)}};
}

Json run_json(const char* command, Json results, bool finished = true) {
  return {{"xbar", "1.2.3"},
          {"command", command},
          {"finished", finished},
          {"settings", {{"seed", "1"}, {"on-ohm", "[20000,100000]"}, {"resume", ""}}},
          {"results", std::move(results)}};
}

/// Two epochs, and a step between them.
Json metrics() {
  Json lines = Json::array();
  for (const int epoch : {1, 2}) {
    lines.push_back({{"kind", "step"}, {"epoch", epoch}, {"step", 50}, {"loss", 9.0}});
    lines.push_back({{"kind", "epoch"},
                     {"epoch", epoch},
                     {"train_loss", 0.5 / epoch},
                     {"test_accuracy", 0.98 - 0.1 / epoch}});
  }
  return lines;
}

/// A run folder in a temporary place.
struct RunFolder {
  explicit RunFolder(const Json& run) {
    write(run);
    write_metrics(metrics());
  }
  void write_metrics(const Json& lines, const std::string& end = "") const {
    std::string text;
    for (const Json& line : lines) text += line.dump() + "\n";
    xbar::write_file_atomically(folder / "metrics.jsonl", text + end);
  }
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

/// A validation with these rows.
Json validate_json(const Json& rows) {
  const auto verdict = [](double size, const Json& model) {
    Json json = error_row(size, 20e3, 0.1, "", 0.25);
    json["tolerance"] = 0.01;
    json["model"] = model;
    json["error"] = 0.25;
    return json;
  };
  const auto update = [](const char* name, const char* model, double error) {
    return Json{{"on_ohm", 20e3},
                {"weights", "clustered"},
                {"update", name},
                {"model", model},
                {"relative_error", error}};
  };
  return run_json("validate",
                  {{"study", rows},
                   {"choice", {"ideal", "ladder", "operating-point"}},
                   {"verdicts", {verdict(16, "ladder"), verdict(64, nullptr)}},
                   {"kept", true},
                   {"update_share", 0.05},
                   {"updates", {update("none", "ladder", 0.031), update("up", "ladder", 0.0425)}}});
}

Json validate_json() {
  Json rows = Json::array();
  for (const double on : {20e3, 100e3}) {
    for (const double size : {16., 64.}) {
      for (const double line : {0.1, 5.}) add_point(rows, size, on, line, 1e-8 * size * on * line);
    }
  }
  return validate_json(rows);
}

Json remap_json(const std::vector<Json>& comparisons) {
  return run_json("remap", {{"model", "mlp"},
                            {"data", "glyphs"},
                            {"calibration_images", 1000},
                            {"test_images", 2000},
                            {"ideal", {{"accuracy", 0.973}, {"loss", 0.09}}},
                            {"layers",
                             {{{"name", "fc1"}, {"sensitivity", {0.1, 0.6, 0.3}}},
                              {{"name", "fc2"}, {"sensitivity", {0.5, 0.0}}}}},
                            {"comparisons", comparisons}});
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

/// A device run and its trace: 0 V, 1 V, −1 V, 0 V.
Json device_json() {
  return run_json("device", {{"model", "vteam"},
                             {"parameters", {{"on_ohm", 50.0}, {"off_ohm", 1000.0}}},
                             {"waveform", "triangle:high=1,low=-1,period=1"},
                             {"read_volt", 0.01},
                             {"on_ohm", 50.0},
                             {"off_ohm", 1000.0},
                             {"lowest_current_ampere", -0.02},
                             {"highest_current_ampere", 0.001},
                             {"energy_joule", 0.002},
                             {"end",
                              {{"second", 1.0},
                               {"state", {{"position_metre", 1e-9}}},
                               {"fraction_on", 0.25},
                               {"ohm", 762.5}}},
                             {"report",
                              {{"integrator", "dormand-prince"},
                               {"tolerance", 1e-6},
                               {"steps", 1234},
                               {"rejected", 5},
                               {"evaluations", 8000},
                               {"bounds_hit", 2}}},
                             {"highest_kelvin", 400.0},
                             {"trace", "trace.csv"}});
}

const std::string trace_names =
    "time_second,voltage_volt,current_ampere,temperature_kelvin,position_metre,fraction_on\n";

const RunFolder& with_trace(const RunFolder& run) {
  xbar::write_file_atomically(run.folder / "trace.csv",
                              trace_names +
                                  "0,0,0,300,3e-9,0\n0.25,1,0.001,310,3e-9,0\n"
                                  "0.75,-1,-0.02,400,0,1\n1,0,0,300,1e-9,0.25\n");
  return run;
}

/// 1 x 3 cells: one within 5 %, one out of pulses, one open.
Json program_json(bool missed = true) {
  const Json place = {{"value", 0.5}, {"cell", {0, 2}}};
  return run_json("program", {{"wordlines", 1},
                              {"bitlines", 3},
                              {"reached", missed ? 1 : 2},
                              {"out_of_pulses", missed ? 1 : 0},
                              {"stuck", 0},
                              {"open", 1},
                              {"disturbed", missed ? 1 : 0},
                              {"worst_error", missed ? 0.4 : 0.04},
                              {"mean_error", 0.02},
                              {"pulses", 1234},
                              {"most_pulses_of_a_cell", 3},
                              {"pulse_second", 3e-6},
                              {"energy_joule",
                               {{"delivered", 5e-9},
                                {"cells", 4e-9},
                                {"wordlines", 5e-10},
                                {"bitlines", 3e-10},
                                {"terminals", 2e-10},
                                {"cells_integrated", 4e-9}}},
                              {"energy_imbalance", 1e-15},
                              {"largest_unselected_volt", place},
                              {"largest_disturb", place},
                              {"tolerance", 0.05},
                              {"log", "log.csv"},
                              {"arrays", "results.npz"}});
}

const std::string log_names = "pass,wordline,bitline,pulse,volt,second,reading_siemens,error\n";

const RunFolder& with_program_files(const RunFolder& run) {
  xbar::write_file_atomically(run.folder / "log.csv",
                              log_names +
                                  "1,0,0,1,1,1e-6,5e-5,-0.5\n1,0,0,2,1.1,1e-6,1.02e-4,0.02\n"
                                  "1,0,1,1,1,1e-6,1e-4,-0.5\n1,0,1,2,1.1,1e-6,1.2e-4,-0.4\n");
  using xbar::Matrix;
  xbar::write_npz(run.folder / "results.npz", {{"targets", Matrix{{1e-4, 2e-4, 1e-4}}},
                                               {"conductance", Matrix{{1.02e-4, 1.2e-4, 0}}},
                                               {"error", Matrix{{0.02, -0.4, -1}}},
                                               {"disturbed", Matrix{{0, 0, 0}}},
                                               {"outcome", Matrix{{1, 2, 4}}},
                                               {"pulses", Matrix{{2, 2, 0}}},
                                               {"energy_joule", Matrix{{2e-9, 3e-9, 0}}}});
  return run;
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
  CHECK(count(html, "<table") == 2);
  CHECK(count(html, "<tr>") == 1 + 3 + 4 + 1 + 2);  // heading, trainings, deployments; certificate
  CHECK(contains(text, "solved exactly"));
  CHECK(contains(text, "the checks against the exact circuit took 1.24\u00A0% of the time"));
  CHECK(contains(text, "Time by phase"));
  CHECK(contains(text, "12.5"));              // the evaluation's bar
  CHECK_FALSE(contains(text, "converters"));  // no run spent time on them

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
  // Relative errors of the operating-point ladder are 1e-8 * size * R_on * line: largest at 64, 100
  // kΩ, 5 Ω with 32 %. At most 0.1 %: 16 and 0.1 Ω, 20 kΩ (0.032 %); 64, 0.1 Ω, 20 kΩ is 0.128 %.
  const std::string html = RunFolder(validate_json()).page();
  check_sound(html);
  const std::string text = text_of(html);
  CHECK(contains(text, "within 0.1\u00A0% of the exact solver at 1 of 8 points"));
  CHECK(contains(text,
                 "32\u00A0%, is at 64\u00A0×\u00A064, R_on 100\u00A0kΩ, 5\u00A0Ω a line segment, "
                 "terminals 100\u00A0Ω, uniform weights"));
  CHECK(contains(text, "200times"));  // 20 ms / 0.1 ms
  // Members; a map for each of three models and two R_on; time and its ratio.
  CHECK(count(html, "<figure>") + count(html, "<figure class") == 1 + 6 + 2);
  CHECK(contains(text, "Within 1\u00A0%: 1 of 2 combinations, none at 1"));
  CHECK(contains(text, "none (best 25\u00A0%)"));
  CHECK(contains(text, "moved by 5\u00A0% of the range"));
  CHECK(contains(text, "20\u00A0kΩ, clustered, up4.2"));
  // Verdicts, updates and every point: a heading each and 1, 2 and 8 rows.
  CHECK(count(html, "<tr>") == 2 + 3 + 9);
}

TEST_CASE("report/run_page: a validation whose tolerance is missed says so first") {
  Json run = validate_json();
  run["results"]["kept"] = false;
  const std::string html = RunFolder(run).page();
  check_sound(html);
  CHECK(contains(html, "verdict s-bad"));
  CHECK(contains(html, "A tolerance that was asked for is missed"));
}

TEST_CASE("report/run_page: one point and lines without resistance are no trouble") {
  Json rows = Json::array();
  add_point(rows, 32, 20e3, 0, 1e-3);
  check_sound(RunFolder(validate_json(rows)).page());
  add_point(rows, 32, 20e3, 1, 2e-3);
  const std::string html = RunFolder(validate_json(rows)).page();
  check_sound(html);
  CHECK(contains(html, "within 0.2\u00A0%") == false);  // at one of two points only
  CHECK(contains(html, "at 1 of 2 points"));
}

TEST_CASE("report/run_page: a re-mapping is judged by a sign test") {
  SECTION("3 against 5 of 8 images is noise: 2 (1 + 8 + 28 + 56) / 2^8 = 73 %") {
    RunFolder run(remap_json({comparison(0.974, 0.973, 3, 5), comparison(0.975, 0.975, 1, 1)}));
    const std::string html = run.page();
    check_sound(html);
    CHECK(contains(html, "no difference beyond the noise of the test set"));
    CHECK(contains(html, "SRS on R_on 5\u00A0k\u03A9: \u22120.10\u00A0points"));
    CHECK(contains(html, ">73\u00A0%<"));
    CHECK(contains(html, ">100\u00A0%<"));
    CHECK(contains(html, "fc1: 3 outputs"));
    CHECK(contains(html, "ladder, 1.23\u00A0%"));
  }
  SECTION("10 against 0 is none: 2 / 2^10 = 0.2 %") {
    RunFolder run(remap_json({comparison(0.970, 0.975, 10, 0)}));
    const std::string html = run.page();
    CHECK(contains(html, "verdict s-good"));
    CHECK(contains(html, "+0.50\u00A0points"));
    CHECK(contains(html, "in 0.2\u00A0% of cases"));
    CHECK(contains(html, "more than the noise of the test set"));
  }
  SECTION("harm is called harm") {
    RunFolder run(remap_json({comparison(0.975, 0.970, 0, 10)}));
    CHECK(contains(run.page(), "verdict s-bad"));
  }
  SECTION("nothing changed") {
    RunFolder run(remap_json({comparison(0.975, 0.975, 0, 0)}));
    CHECK(contains(run.page(), "Not one test image changed"));
  }
  SECTION("thousands of changes neither overflow nor vanish") {
    // 5050 of 10,000 is one standard deviation (50): 32 %, with continuity correction 99 / 100 of
    // one, 32.2 %.
    RunFolder run(remap_json({comparison(0.97, 0.98, 5050, 4950)}));
    CHECK(contains(run.page(), "in 32\u00A0% of cases"));
  }
}

TEST_CASE("report/run_page: strategies of re-mapping are compared, and what came later is told") {
  // 97.3 ideal, 92.3 as trained: 2 points are 40 % of what wires cost, 4.5 points 90 %.
  Json srs = comparison(0.923, 0.943, 50, 10);
  Json optimal = comparison(0.923, 0.968, 110, 20);
  optimal["strategy"] = "optimal";
  srs["as_is"]["gain"] = {{"accuracy", 0.9611}};
  optimal["remapped"]["gain"] = {{"accuracy", 0.9622}};
  optimal["remapped"]["batch_norm"] = {{"accuracy", 0.9633}};
  optimal["later"] = {{"changed", {{"accuracy", 0.91}, {"loss", 0.4}}},
                      {"remapped", {{"accuracy", 0.9654}, {"loss", 0.2}}},
                      {"rewritten", 0.84},
                      {"seconds", 12.0}};
  const std::string html = RunFolder(remap_json({srs, optimal})).page();
  check_sound(html);
  CHECK(contains(
      html, "optimal on R_on 5\u00A0k\u03A9: +4.50\u00A0points, 90\u00A0% of what wires cost"));
  for (const char* text : {">40<", ">90<", ">96.11<", ">96.22<", ">96.33<", "Re-mapping on line",
                           ">96.54<", ">5.54<", ">84<", "Errors of the layers"}) {
    CAPTURE(text);
    CHECK(contains(html, text));
  }
}

TEST_CASE("report/run_page: a device run shows its loop, its course and its parameters") {
  const std::string html = with_trace(RunFolder(device_json())).page();
  check_sound(html);
  CHECK(contains(html, "Ends at 762.5\u00A0Ω, 25.0\u00A0% of the way from off to on"));
  CHECK(contains(html, "triangle:high=1,low=-1,period=1"));
  for (const char* title : {"Current", "Size of the current", "Voltage", "State", "Temperature"}) {
    CAPTURE(title);
    CHECK(contains(html, std::string("Line plot, ") + title + ":"));
  }
  CHECK_FALSE(contains(html, "no data"));
  CHECK(contains(html, "off_ohm"));
  CHECK(contains(html, "1,234"));

  // Without a temperature there is neither its figure nor its card.
  Json cold = device_json();
  cold["results"].erase("highest_kelvin");
  const RunFolder folder(cold);
  xbar::write_file_atomically(folder.folder / "trace.csv",
                              "time_second,voltage_volt,current_ampere,fraction_on\n0,0,0,0\n"
                              "1,1,1,1\n");
  CHECK_FALSE(contains(folder.page(), "emperature"));
}

TEST_CASE("report/run_page: a long trace is thinned, and the page says so") {
  const RunFolder folder(device_json());
  std::string trace = "time_second,voltage_volt,current_ampere,fraction_on\n";
  for (int k = 0; k < 20001; ++k) trace += std::to_string(k) + ",1,1,0.5\n";
  xbar::write_file_atomically(folder.folder / "trace.csv", trace);
  // 20001 rows in 4000 points: every 6th.
  CHECK(contains(folder.page(), "Every 6th point is drawn."));
  CHECK_FALSE(contains(with_trace(folder).page(), "point is drawn"));
}

TEST_CASE("report/run_page: programming is judged by the cells that miss their targets") {
  const std::string html = with_program_files(RunFolder(program_json())).page();
  check_sound(html);
  CHECK(contains(html, "verdict s-bad"));
  CHECK(contains(html, "1 of 2 cells miss their targets by more than 5\u00A0%"));
  CHECK(contains(html, "1 out of pulses, 1 disturbed by pulses of other cells"));
  for (const char* title :
       {"Target", "Reached", "Error", "Pulses", "Error after each pulse", "Cells outside tolerance",
        "Where the energy goes", "Energy of each cell&#39;s pulses", "Disturbed cells"}) {
    CAPTURE(title);
    CHECK(contains(html, title));
  }
  CHECK(contains(html, "An unselected cell saw 500\u00A0mV at most, at (0,2)"));
  // The worst cell comes first; the open one is not among them.
  const std::string worst = html.substr(html.find("The worst cells</h2>"));
  CHECK(worst.find("out of pulses") < worst.find("reached"));
  CHECK_FALSE(contains(worst, ">open<"));

  const std::string good = with_program_files(RunFolder(program_json(false))).page();
  check_sound(good);
  CHECK(contains(good, "verdict s-good"));
  CHECK(contains(good, "Every cell is within 5\u00A0% of its target"));
  CHECK_FALSE(contains(good, "Disturbed cells</text>"));
}

TEST_CASE("report/run_page: programming that was interrupted shows what its log holds") {
  const Json results = {{"tolerance", 0.05}, {"log", "log.csv"}, {"arrays", "results.npz"}};
  const RunFolder folder(run_json("program", results, false));
  xbar::write_file_atomically(folder.folder / "log.csv", log_names);
  const std::string empty = folder.page();
  check_sound(empty);
  CHECK(contains(empty, "This run is not finished"));
  CHECK_FALSE(contains(empty, "Error after each pulse"));
  const std::string begun = with_program_files(folder).page();
  check_sound(begun);
  CHECK(contains(begun, "Error after each pulse"));
  xbar::write_file_atomically(folder.folder / "log.csv",
                              log_names +
                                  "1,0,0,1,1,1e-6,5e-5,nan\n1,nan,0,1,1,1e-6,5e-5,0.1\n"
                                  "1,0,1,1,1,1e-6,5e-5,inf\n");
  CHECK_FALSE(contains(folder.page(), "Error after each pulse"));
}

TEST_CASE("report/run_page: damaged traces, logs and arrays are named") {
  const RunFolder device(device_json());
  const auto complaint = [](const RunFolder& folder) {
    return message_of<xbar::IoError>([&] { (void)folder.page(); });
  };
  const auto trace = [&](const std::string& text) {
    xbar::write_file_atomically(device.folder / "trace.csv", text);
    return complaint(device);
  };
  CHECK(contains(complaint(device), "trace.csv"));
  CHECK(contains(trace("time_second,voltage_volt\n0,1\n"),
                 "trace.csv: expected a column current_ampere, found none"));
  CHECK(contains(trace("a,b,c\n0,1\n"), "trace.csv: expected 3 columns like the names, found 2"));
  CHECK(contains(trace("a,b\n0,x\n"), "trace.csv: line 2: column 2: expected a number"));
  CHECK(contains(trace(""), "expected a column"));

  const RunFolder program(program_json());
  CHECK(contains(complaint(program), "results.npz"));
  with_program_files(program);
  xbar::write_npz(program.folder / "results.npz", {{"targets", xbar::Matrix::Ones(1, 3)}});
  CHECK(contains(complaint(program), "results.npz: expected an array conductance, found none"));
  xbar::write_npz(program.folder / "results.npz", {{"targets", xbar::Matrix::Ones(2, 3)}});
  CHECK(contains(complaint(program), "results.npz: targets: expected 1 x 3, found 2 x 3"));
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

  for (const char* command : {"quickstart", "train", "validate", "remap", "device", "program"}) {
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
  run["results"]["training"]["runs"][1]["metrics"] = "../metrics.jsonl";
  CHECK(contains(complaint(run), "results.training.runs[1].metrics: expected the name of a file"));
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
  const RunFolder training(train_json(0.98));
  const auto refusal = [&](const Json& lines, const std::string& end) {
    training.write_metrics(lines, end);
    return message_of<xbar::IoError>([&] { (void)training.page(); });
  };
  Json lines = metrics();
  lines[1]["epoch"] = "one";
  CHECK(contains(refusal(lines, ""), "metrics.jsonl:2: epoch: expected a number, found string"));
  CHECK(contains(refusal(metrics(), "{\n"), "metrics.jsonl:5: expected JSON"));
  training.write_metrics(metrics(), R"({"kind": "ep)");  // being written
  CHECK_NOTHROW((void)training.page());
  std::filesystem::remove(training.folder / "metrics.jsonl");
  CHECK(contains(message_of<xbar::IoError>([&] { (void)training.page(); }), "metrics.jsonl"));

  const RunFolder other(run_json("solve", Json::object()));
  CHECK(contains(message_of<xbar::InvalidArgument>([&] { (void)other.page(); }),
                 "expected quickstart, train, evaluate, validate, remap, device, program, fit or "
                 "sweep, found 'solve'"));
}

TEST_CASE("report/run_page: NaN, which JSON writes as null, is n/a") {
  Json run = quickstart_json();
  run["results"]["training"]["deployed"]["accuracy"] = std::nan("");
  run["results"]["study"]["by_size"][4]["worst_error"] = nullptr;
  run["results"]["array"]["agreement"] = nullptr;
  RunFolder folder(run);
  Json lines = metrics();
  lines[3]["train_loss"] = nullptr;
  folder.write_metrics(lines);
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
  const std::vector<Json> runs = {quickstart,          train,
                                  validate_json(rows), remap_json({comparison(0.97, 0.98, 3, 1)}),
                                  device_json(),       program_json()};
  for (const Json& run : runs) {
    RunFolder folder(run);
    with_ir_drop(folder);
    with_trace(folder);
    with_program_files(folder);
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
