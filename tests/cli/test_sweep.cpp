#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "support/catch.hpp"

using xbar_test::Contains;
using xbar_test::run_xbar;
using xbar_test::Scratch;

namespace {

namespace fs = std::filesystem;

void write_array(const Scratch& scratch) {
  xbar::write_file_atomically(scratch("G.csv"), "1e-4,2e-4\n3e-4,1e-4\n");
  xbar::write_file_atomically(scratch("V.csv"), "0.1\n0.2\n");
}

std::string solve_study(const std::string& sweep) {
  return "command = \"solve\"\n[flags]\nconductance = \"G.csv\"\nvoltage = \"V.csv\"\n"
         "current-out = \"{point}/I.csv\"\n" +
         sweep;
}

// Commands of a shell with $XBAR, in the folder.
void shell(const Scratch& scratch, const std::string& commands) {
  const std::string line =
      "cd '" + scratch("") + "'; XBAR='" + std::string(XBAR_PROGRAM) + "'\n" + commands;
  REQUIRE(std::system(line.c_str()) == 0);
}

long rows(const std::string& csv) { return std::count(csv.begin(), csv.end(), '\n'); }

// Epochs of some tenths of a second.
constexpr const char* trainings =
    "command = \"train\"\n[flags]\nmodel = \"mlp\"\ndata = \"glyphs\"\ntrain-images = 1500\n"
    "test-images = 100\nepochs = 3\nmode = \"ideal\"\n[sweep]\nseeds = 4\n";

}  // namespace

TEST_CASE("cli/sweep: a folder a point, and tables of results", "[cli][sweep]") {
  const Scratch scratch;
  write_array(scratch);
  xbar::write_file_atomically(
      scratch("s.toml"), solve_study("[sweep.keys]\nsource-ohm = [0, 1000]\nsink-ohm = [0, 5]\n"));
  const auto outcome = run_xbar(scratch, "sweep --config s.toml --out d");
  CAPTURE(outcome.out, outcome.err);
  REQUIRE(outcome.code == 0);
  REQUIRE_THAT(outcome.out, Contains("4 of 4 points done"));
  const std::string table = xbar::read_file(scratch("d/table.csv"));
  REQUIRE(rows(table) == 2 + 1 + 4);
  REQUIRE_THAT(table, Contains("point,sink-ohm,source-ohm,status,error,"));
  // Each as the command alone gives it.
  REQUIRE(run_xbar(scratch,
                   "solve --conductance G.csv --voltage V.csv --source-ohm 1000 --sink-ohm "
                   "5 --current-out alone.csv")
              .code == 0);
  int same = 0;
  for (const auto& point : fs::directory_iterator(scratch("d/points"))) {
    const std::string config = xbar::read_file(point.path() / "config.toml");
    if (config.find("source-ohm = 1000\n") == std::string::npos) continue;
    if (config.find("sink-ohm = 5\n") == std::string::npos) continue;
    same +=
        xbar::read_file(point.path() / "I.csv") == xbar::read_file(scratch("alone.csv")) ? 1 : 0;
  }
  REQUIRE(same == 1);
  // A folder of another command is not a sweep's.
  REQUIRE(run_xbar(scratch, "device --model vteam --out other").code == 0);
  const auto other = run_xbar(scratch, "sweep --config s.toml --out other");
  REQUIRE(other.code == 2);
  REQUIRE_THAT(other.err, Contains("out: expected a folder of a sweep, other holds a run"));
  // Again: the folder is taken; --resume has nothing to do; the study may grow.
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out d").code == 2);
  const auto time = fs::last_write_time(scratch("d/points"));
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out d --resume").code == 0);
  REQUIRE(fs::last_write_time(scratch("d/points")) == time);
  REQUIRE(xbar::read_file(scratch("d/table.csv")) == table);
  xbar::write_file_atomically(
      scratch("s.toml"),
      solve_study("[sweep.keys]\nsource-ohm = [0, 500, 1000]\nsink-ohm = [0, 5]\n"));
  REQUIRE_THAT(run_xbar(scratch, "sweep --config s.toml --out d --resume").out,
               Contains("6 of 6 points done"));
}

TEST_CASE("cli/sweep: results do not hang on jobs, threads, shares or ranks", "[cli][sweep]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("s.toml"), trainings);
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out a --jobs 1 --threads 2").code == 0);
  const std::string table = xbar::read_file(scratch("a/table.csv"));
  const std::string summary = xbar::read_file(scratch("a/summary.csv"));
  REQUIRE_THAT(summary, Contains("runs.0.test_accuracy.mean"));
  SECTION("jobs") {
    REQUIRE(run_xbar(scratch, "sweep --config s.toml --out b --jobs 3 --threads 1").code == 0);
  }
  SECTION("shares") {
    REQUIRE(run_xbar(scratch, "sweep --config s.toml --out b --share 1/2").code == 0);
    REQUIRE(rows(xbar::read_file(scratch("b/table.csv"))) == 2 + 1 + 2);
    REQUIRE(run_xbar(scratch, "sweep --config s.toml --out b --share 0/2 --resume").code == 0);
  }
  SECTION("ranks") {
    shell(scratch,
          "$XBAR info | grep -q 'MPI *yes' && command -v mpirun >/dev/null && "
          "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe -n 2 "
          "$XBAR sweep --config s.toml --out b >out.txt 2>err.txt </dev/null\necho $? >code.txt\n");
    if (!fs::exists(scratch("out.txt"))) {
      WARN("skipped: no MPI here");
      return;
    }
    CAPTURE(xbar::read_file(scratch("err.txt")));
    REQUIRE(xbar::read_file(scratch("code.txt")) == "0\n");
    REQUIRE_THAT(xbar::read_file(scratch("out.txt")), Contains("4 of 4 points done"));
  }
  REQUIRE(xbar::read_file(scratch("b/table.csv")) == table);
  REQUIRE(xbar::read_file(scratch("b/summary.csv")) == summary);
}

TEST_CASE("cli/sweep: killed at any moment, it goes on with what was not finished",
          "[cli][sweep]") {
  const Scratch scratch;
  xbar::write_file_atomically(scratch("s.toml"), trainings);
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out whole").code == 0);
  const std::string signal = GENERATE("KILL", "TERM");
  // After the first point; the second is under way.
  shell(scratch,
        "$XBAR sweep --config s.toml --out d --jobs 1 >out.txt 2>err.txt & P=$!\n"
        "for k in $(seq 2000); do ls d/points/*/point.json >/dev/null 2>&1 && break; "
        "sleep 0.01; done\nkill -" +
            signal +
            " $P; wait $P; echo $? >code.txt; sleep 0.1\n"
            "! pgrep -f \"$PWD/d/points\" >/dev/null\n"
            "ls d/points/*/point.json | wc -l >done.txt\n"
            "stat -c %Y%Z d/points/*/point.json >before.txt\n");
  const int done = std::stoi(xbar::read_file(scratch("done.txt")));
  REQUIRE(done >= 1);
  REQUIRE(done < 4);
  REQUIRE(xbar::read_file(scratch("code.txt")) == (signal == "KILL" ? "137\n" : "130\n"));
  if (signal == "TERM") {
    REQUIRE_THAT(xbar::read_file(scratch("err.txt")), Contains("--out d --resume"));
  }
  const std::string list = "for f in $(ls -tr d/points/*/point.json | head -" +
                           std::to_string(done) + "); do sha256sum $f; done | sort >";
  shell(scratch, list + "first.txt\n");
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out d --resume").code == 0);
  shell(scratch, list + "then.txt\ncmp first.txt then.txt\n");
  REQUIRE(xbar::read_file(scratch("d/table.csv")) == xbar::read_file(scratch("whole/table.csv")));
}

TEST_CASE("cli/sweep: a point that fails is recorded, the rest goes on", "[cli][sweep]") {
  const Scratch scratch;
  write_array(scratch);
  // A file that is not there is found by the command, not by the check of the flags.
  xbar::write_file_atomically(scratch("s.toml"),
                              "command = \"solve\"\n[flags]\nvoltage = \"V.csv\"\n[sweep.keys]\n"
                              "conductance = [\"none.csv\", \"G.csv\"]\n");
  const auto outcome = run_xbar(scratch, "sweep --config s.toml --out d");
  REQUIRE(outcome.code == 1);
  REQUIRE_THAT(outcome.out, Contains("1 of 2 points done, 1 failed"));
  REQUIRE_THAT(xbar::read_file(scratch("d/table.csv")),
               Contains(",failed,xbar: none.csv: cannot read the file"));
  // The page of the folder.
  REQUIRE_THAT(outcome.out, Contains("next: xbar report d"));
  const auto page = run_xbar(scratch, "report d");
  REQUIRE(page.code == 0);
  REQUIRE_THAT(xbar::read_file(scratch("d/index.html")),
               Contains("1 of 2 points failed") && Contains("none.csv: cannot read the file"));
  // Only on demand once more.
  xbar::write_file_atomically(scratch("none.csv"), xbar::read_file(scratch("G.csv")));
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out d --resume").code == 1);
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out d --resume --retry-failed").code == 0);
}

TEST_CASE("cli/sweep: what cannot be run is refused before anything is", "[cli][sweep]") {
  const Scratch scratch;
  write_array(scratch);
  const auto refused = [&](const std::string& study, const std::string& flags = "") {
    xbar::write_file_atomically(scratch("s.toml"), study);
    const auto outcome = run_xbar(scratch, "sweep --config s.toml --out d " + flags);
    REQUIRE(outcome.code == 2);
    REQUIRE_FALSE(fs::exists(scratch("d/points")));
    return outcome.err;
  };
  REQUIRE_THAT(refused("command = \"sovle\"\n[sweep]\nseeds = 2\n"),
               Contains("did you mean solve"));
  REQUIRE_THAT(refused(solve_study("[sweep.keys]\nsorce-ohm = [1]\n")),
               Contains("s.toml: unknown key 'sorce-ohm'") && Contains("did you mean source-ohm"));
  REQUIRE_THAT(refused(solve_study("[sweep.keys]\nsource-ohm = [1, \"x\"]\n")),
               Contains("key 'source-ohm'"));
  REQUIRE_THAT(refused(solve_study("[sweep]\nseeds = 2\n")), Contains("unknown key 'seed'"));
  REQUIRE_THAT(refused("command = \"solve\"\n[sweep.keys]\nsource-ohm = [1]\n"),
               Contains("--conductance is required"));
  REQUIRE_THAT(
      refused("command = \"effective\"\n[flags]\nconductance = \"G.csv\"\nout = \"x.npy\"\n"
              "[sweep.keys]\nsource-ohm = [1]\n"),
      Contains("{point}/result.npy"));
  REQUIRE_THAT(refused(solve_study("[sweep.keys]\nsource-ohm = [1]\n"), "--share 2/2"),
               Contains("0 <= K < N"));
  REQUIRE_THAT(run_xbar(scratch, "sweep --out d").err, Contains("--config is required"));
}

TEST_CASE("cli/sweep: a Slurm array", "[cli][sweep]") {
  const Scratch scratch;
  write_array(scratch);
  xbar::write_file_atomically(scratch("s.toml"),
                              solve_study("[sweep.keys]\nsource-ohm = [0, 1, 2]\n"));
  REQUIRE(run_xbar(scratch, "sweep --config s.toml --out d --slurm --slurm-tasks 2").code == 0);
  REQUIRE_THAT(xbar::read_file(scratch("d/sweep.sbatch")), Contains("#SBATCH --array=0-1"));
  // What Slurm does with it.
  shell(scratch,
        "for k in 0 1; do SLURM_ARRAY_TASK_ID=$k bash d/sweep.sbatch >/dev/null || exit 1; "
        "done\n");
  REQUIRE(rows(xbar::read_file(scratch("d/table.csv"))) == 2 + 1 + 3);
}
