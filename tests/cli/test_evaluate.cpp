#include <string>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using nlohmann::json;
using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

TEST_CASE("cli/evaluate: streamed arrays and other batches give the same", "[cli]") {
  const Scratch scratch;
  const std::string network = "--model lenet5 --data glyphs --train-images 200 --test-images 60 ";
  REQUIRE(run_xbar(scratch, "train " + network + "--mode ideal --epochs 1 --out run").code == 0);
  const std::string line = "evaluate " + network +
                           "--weights run/ideal/weights.safetensors --on-ohm 20000,50000 "
                           "--device-variation 0.1 --surrogate ladder --json";
  const auto plain = run_xbar(scratch, line);
  const auto streamed = run_xbar(scratch, line + " --stream --batch 7");
  CAPTURE(streamed.err);
  REQUIRE(streamed.code == 0);
  const json a = json::parse(plain.out);
  const json b = json::parse(streamed.out);
  for (std::size_t k = 0; k < 2; ++k) {
    REQUIRE(a.at("wired").at(k).at("accuracy") == b.at("wired").at(k).at("accuracy"));
    REQUIRE(a.at("wired").at(k).at("certificate").at("worst_error") ==
            b.at("wired").at(k).at("certificate").at("worst_error"));
  }
  REQUIRE_THAT(run_xbar(scratch, line + " --stream --order x.json").err,
               Contains("--order: expected without --stream"));
  REQUIRE_THAT(run_xbar(scratch, line + " --batch 0").err, Contains("--batch: expected >= 1"));
}
