#include <set>
#include <string>

#include <xbar/core/error.hpp>
#include <xbar/sweep/study.hpp>

#include "support/catch.hpp"
#include "support/message.hpp"

using xbar_test::Contains;
using namespace xbar::sweep;

namespace {

const std::string whole = R"(
command = "evaluate"
[flags]
model = "lenet5"
pixel_mean = [0.5, 0.25]
[flags.limit]
ladder = 0.01
[sweep]
seeds = [7, 9]
[sweep.keys]
on-ohm = [10e3, 20e3]
layout = ["offset"]
)";

}  // namespace

TEST_CASE("sweep/study: points are the command's configuration files", "[sweep]") {
  const Study study = parse_study(whole, "s.toml");
  REQUIRE(study.command == "evaluate");
  const auto points = points_of(study);
  REQUIRE(points.size() == 4);
  REQUIRE(points[0].config ==
          "layout = \"offset\"\nlimit = { ladder = 0.01 }\nmodel = \"lenet5\"\non-ohm = 10000.0\n"
          "pixel-mean = [ 0.5, 0.25 ]\nseed = 7\n");
  REQUIRE(points[1].swept ==
          Setting{{"layout", "\"offset\""}, {"on-ohm", "10000.0"}, {"seed", "9"}});
  REQUIRE_THAT(points[3].config, Contains("on-ohm = 20000.0") && Contains("seed = 9"));
  std::set<std::string> identities;
  for (const Point& point : points) {
    REQUIRE(point.identity.size() == 16);
    identities.insert(point.identity);
  }
  REQUIRE(identities.size() == 4);
}

TEST_CASE("sweep/study: values of every kind are the file's", "[sweep]") {
  const auto points = points_of(parse_study(
      "command = \"solve\"\n[flags]\na = [[0.1, 1], 'x\"']\nb = {}\nc = {'a b' = inf, d = true}\n"
      "e = []\n[sweep]\nseeds = 1\n",
      "s.toml"));
  REQUIRE(
      points[0].config ==
      "a = [ [ 0.1, 1 ], \"x\\\"\" ]\nb = {}\nc = { \"a b\" = inf, d = true }\ne = []\nseed = 1\n");
}

TEST_CASE("sweep/study: too many points are refused before they are made", "[sweep]") {
  const Study study = parse_study(
      "command = \"solve\"\n[sweep]\nsampling = \"random\"\nsamples = 1000\nseeds = 1001\n"
      "[sweep.keys]\na = {low = 0, high = 1}\n",
      "s.toml");
  REQUIRE(xbar_test::message_of<xbar::InvalidArgument>([&] { (void)points_of(study); }) ==
          "sweep: expected 1000000 points or fewer, got 1000 settings of 1001 seeds");
}

TEST_CASE("sweep/study: a point stays the same when its study grows", "[sweep]") {
  const auto before = points_of(parse_study(whole, "s.toml"));
  std::string larger = whole;
  larger.replace(larger.find("[10e3, 20e3]"), 12, "[5e3, 10e3]");
  const auto after = points_of(parse_study(larger, "s.toml"));
  REQUIRE(after[2].identity == before[0].identity);
  REQUIRE(after[2].config == before[0].config);
  // Of another command or with another flag it is another.
  std::string other = whole;
  other.replace(other.find("evaluate"), 8, "remap");
  REQUIRE(points_of(parse_study(other, "s.toml"))[0].identity != before[0].identity);
}

TEST_CASE("sweep/study: lists, draws and seeds alone", "[sweep]") {
  const auto list = points_of(parse_study(
      "command = \"solve\"\n[sweep]\nsampling = \"list\"\n[[sweep.points]]\nsource_ohm = 1\n"
      "[[sweep.points]]\nsource_ohm = 2\nsink_ohm = 3\n[[sweep.points]]\nsource_ohm = 1\n",
      "s.toml"));
  // The third is the first once more.
  REQUIRE(list.size() == 2);
  REQUIRE(list[1].config == "sink-ohm = 3\nsource-ohm = 2\n");
  const auto drawn = points_of(
      parse_study("command = \"solve\"\n[sweep]\nsampling = \"latin-hypercube\"\nsamples = 5\n"
                  "[sweep.keys]\nsource_ohm = {low = 1, high = 100, scale = \"logarithmic\"}\n",
                  "s.toml"));
  REQUIRE(drawn.size() == 5);
  REQUIRE(points_of(parse_study("command = \"train\"\n[sweep]\nseeds = 3\n", "s.toml")).size() ==
          3);
}

TEST_CASE("sweep/study: names file, key and what was expected", "[sweep]") {
  const auto refused = [](const std::string& text) {
    try {
      static_cast<void>(parse_study(text, "s.toml"));
    } catch (const xbar::Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const std::string head = "command = \"solve\"\n";
  REQUIRE_THAT(refused("[sweep]\nseeds = 1\n"), Contains("s.toml: command: expected the name"));
  REQUIRE_THAT(refused(head), Contains("s.toml: sweep: expected a table [sweep]"));
  REQUIRE_THAT(refused(head + "flag = 1\n"),
               Contains("unknown key 'flag'") && Contains("did you mean flags"));
  REQUIRE_THAT(refused(head + "[sweep]\n"), Contains("found none"));
  REQUIRE_THAT(refused(head + "[sweep]\nseeds = 0\n"), Contains("seeds: expected a whole number"));
  REQUIRE_THAT(refused(head + "[sweep]\nseeds = 1000001\n"), Contains("from 1 to 1000000"));
  REQUIRE_THAT(refused(head + "[sweep]\nseeds = [1, -1]\n"), Contains("seeds: expected"));
  REQUIRE_THAT(refused(head + "[sweep]\nsampling = \"gird\"\n"), Contains("did you mean grid"));
  REQUIRE_THAT(refused(head + "[sweep]\nsamples = 3\n[sweep.keys]\na = [1]\n"),
               Contains("samples: expected it with random"));
  REQUIRE_THAT(refused(head + "[sweep.keys]\na = []\n"), Contains("key 'a'"));
  REQUIRE_THAT(refused(head + "[sweep.keys]\na = 3\n"), Contains("a list of values or {low"));
  REQUIRE_THAT(refused(head + "[sweep.keys]\na = {low = 1, hihg = 2}\n"),
               Contains("did you mean high"));
  REQUIRE_THAT(refused(head + "[sweep.keys]\na = {low = 1}\n"), Contains("high = a number"));
  REQUIRE_THAT(refused(head + "[sweep.keys]\na = {low = 1, high = 2, scale = \"log\"}\n"),
               Contains("scale = linear or logarithmic, got 'log'"));
  REQUIRE_THAT(refused(head + "[flags]\na = 1\n[sweep.keys]\na = [1]\n"),
               Contains("found in both"));
  REQUIRE_THAT(refused(head + "[sweep]\nseeds = 2\n[sweep.keys]\nseed = [1]\n"),
               Contains("found both"));
  REQUIRE_THAT(refused(head + "[sweep]\nsampling = \"list\"\n[sweep.keys]\na = [1]\n"),
               Contains("[[sweep.points]] for a list"));
  REQUIRE_THAT(refused(head + "[sweep"), Contains("s.toml:"));
}
