#include <nlohmann/json.hpp>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/report/run_page.hpp>

#include "markup.hpp"
#include "support/catch.hpp"
#include "support/message.hpp"
#include "support/temporary_folder.hpp"

using xbar::report::comparison_page;
using xbar::report::run_page;
using xbar_test::contains;
using xbar_test::count;
using xbar_test::message_of;
using xbar_test::TemporaryFolder;

namespace {

using Json = nlohmann::ordered_json;

Json leg(double accuracy) {
  return {{"name", "ideal"},
          {"arithmetic", "ideal"},
          {"test_accuracy", accuracy},
          {"exact_accuracy", accuracy},
          {"test_loss", 0.125},
          {"images_per_second", 1000.0},
          {"train_seconds", 8.0},
          {"phase_seconds", {{"forward", 8.0}}},
          {"certificate",
           {{"layers",
             {{{"name", "fc1"}, {"mean_error", 0.25}}, {{"name", "fc1"}, {"mean_error", 0.5}}}}}},
          {"metrics", "metrics.jsonl"},
          {"weights", "weights.safetensors"}};
}

Json training(double accuracy, const char* rate) {
  return {{"xbar", "1.2.3"},
          {"command", "train"},
          {"finished", true},
          {"settings", {{"learning-rate", rate}, {"seed", "1"}, {"out", rate}}},
          {"results",
           {{"model", "mlp"},
            {"data", "glyphs"},
            {"train_images", 60000},
            {"test_images", 10000},
            {"runs", {leg(accuracy)}}}}};
}

/// A folder with a run and two epochs of metrics.
struct Folder {
  explicit Folder(const Json& run) {
    xbar::write_file_atomically(folder / "run.json", run.dump());
    xbar::write_file_atomically(folder / "metrics.jsonl",
                                R"({"kind":"epoch","epoch":1,"train_loss":0.5,"test_accuracy":0.8})"
                                "\n"
                                R"({"kind":"epoch","epoch":2,"train_loss":0.3,"test_accuracy":0.9})"
                                "\n");
  }
  TemporaryFolder folder;
};

Json evaluation(double worst_error, int checks) {
  const Json layer = {{"name", "fc1"},
                      {"surrogate", "ladder"},
                      {"checks", checks},
                      {"mean_error", worst_error / 2},
                      {"worst_error", worst_error}};
  Json certificate = layer;
  certificate["layers"] = Json::array({layer});
  const Json technology = {{"on_ohm", 20e3},    {"on_off_ratio", 10.0}, {"source_ohm", 500.0},
                           {"sink_ohm", 100.0}, {"wordline_ohm", 2.5},  {"bitline_ohm", 2.5},
                           {"tile_rows", 64},   {"tile_columns", 64},   {"terminals", "keep"},
                           {"gain", "none"},    {"write_noise", 0.0}};
  return {{"xbar", "1.2.3"},
          {"command", "evaluate"},
          {"finished", true},
          {"settings", {{"seed", "1"}}},
          {"results",
           {{"model", "mlp"},
            {"data", "glyphs"},
            {"test_images", 10000},
            {"ideal", {{"accuracy", 0.98}, {"loss", 0.1}, {"seconds", 0.5}}},
            {"wired",
             {{{"technology", technology},
               {"surrogate", "ladder"},
               {"certificate", certificate},
               {"accuracy", 0.93},
               {"deploy_seconds", 0.25},
               {"seconds", 1.5},
               {"loss", 0.3}}}}}}};
}

}  // namespace

TEST_CASE("report/comparison_page: two trainings, their settings, results and curves") {
  const Folder a(training(0.90, "0.1"));
  const Folder b(training(0.95, "0.2"));
  const std::string page = comparison_page(a.folder.path(), b.folder.path());
  // 5 points on 10000 images are far beyond the 0.7 that chance explains.
  CHECK(contains(page, "is better by 5.00"));
  CHECK(contains(page, "90.00\u00A0% in"));
  CHECK(contains(page, "+5.00"));
  // Only the learning rate differs; the folder itself is no setting.
  const std::string differ = page.substr(page.find("Settings that differ</h2>"));
  CHECK(contains(differ.substr(0, differ.find("<details")), "learning-rate"));
  CHECK(!contains(differ.substr(0, differ.find("<details")), "seed"));
  CHECK(!contains(page, ">out<"));
  // Layers are details.
  const std::string results = page.substr(page.find("Results side by side</h2>"));
  CHECK(!contains(results.substr(0, results.find("<details")), "fc1"));
  CHECK(contains(results, "certificate, layers, fc1, mean error"));
  CHECK(contains(results, "certificate, layers, fc1 2, mean error"));
  // One plot each of accuracy and loss by epoch, with a line of each run.
  const std::string curves = page.substr(page.find("Curves</h2>"));
  CHECK(count(curves.substr(0, curves.find("<footer")), "<figure") == 2);
  CHECK(comparison_page(a.folder.path(), b.folder.path()) == page);
  CHECK(contains(comparison_page(b.folder.path(), a.folder.path()), "is worse by 5.00"));
}

TEST_CASE("report/comparison_page: what chance explains is called equal") {
  const Folder a(training(0.900, "0.1"));
  const Folder b(training(0.903, "0.1"));
  const std::string page = comparison_page(a.folder.path(), b.folder.path());
  CHECK(contains(page, "Both do equally well"));
  CHECK(contains(page, "None: the two runs were asked for the same."));
}

TEST_CASE("report/comparison_page: runs of two commands share what they have") {
  const Folder a(training(0.90, "0.1"));
  const Folder b(evaluation(0.01, 3));
  const std::string page = comparison_page(a.folder.path(), b.folder.path());
  CHECK(contains(page, "Runs of two commands: train and evaluate"));
  CHECK(contains(message_of<xbar::IoError>([&] {
                   static_cast<void>(comparison_page(a.folder.path(), a.folder / "none"));
                 }),
                 "run.json"));
}

TEST_CASE("report/run_page: an evaluation tells what the wires cost and how sure that is") {
  const Folder run(evaluation(0.02, 3));
  const std::string page = run_page(run.folder.path());
  CHECK(contains(page, "The wires cost 5.00"));
  CHECK(contains(page, "98.00"));
  CHECK(contains(page, "3 arrays solved exactly."));
  CHECK(contains(page, "Error certificate"));
  CHECK(contains(page, "Time by phase"));
  const Folder exact(evaluation(0, 0));
  CHECK(contains(run_page(exact.folder.path()), "there is no error to certify"));
}
