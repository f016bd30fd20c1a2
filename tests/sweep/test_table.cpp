#include <cmath>
#include <string>

#include <xbar/core/atomic_file.hpp>
#include <xbar/core/error.hpp>
#include <xbar/sweep/table.hpp>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace xbar::sweep;

TEST_CASE("sweep/table: rows may lack cells, and texts may hold anything", "[sweep]") {
  Table table;
  table.add_row({{"a", "1"}, {"b", "x,\"y\"\nz"}});
  table.add_row({{"b", "2"}, {"c", "3"}});
  REQUIRE(to_csv(table, "one\ntwo") == "# one\n# two\na,b,c\n1,\"x,\"\"y\"\"\nz\",\n,2,3\n");
  const Table again = parse_table(to_csv(table, "one\ntwo"), "t.csv");
  REQUIRE(again.columns() == table.columns());
  REQUIRE(again.size() == 2);
  REQUIRE(again.cell(0, 1) == "x,\"y\"\nz");
  REQUIRE(again.cell(0, 2).empty());
  REQUIRE(again.cell(1, 2) == "3");
  REQUIRE(number_columns(table) == std::vector<std::string>{"a", "c"});
  REQUIRE(table.column("none") == 3);
}

TEST_CASE("sweep/csv: what spreadsheets write is read, what is damaged refused", "[sweep]") {
  const Table table = parse_table("a,b\r\n1,\"x\"\r\n,2", "t.csv");
  REQUIRE(table.columns() == std::vector<std::string>{"a", "b"});
  REQUIRE(table.cell(0, 1) == "x");
  REQUIRE(table.cell(1, 0).empty());
  REQUIRE(table.cell(1, 1) == "2");
  const auto refused = [](const char* text, const char* message) {
    REQUIRE_THROWS_WITH(parse_table(text, "t.csv"), xbar_test::Contains(message));
  };
  refused("# c\n", "t.csv: expected a line with the names");
  refused("a,a\n", "found one twice");
  refused("# c\na,b\n1,2\n3\n", "t.csv:4: expected 2 cells like the names, found 1");
  refused("a\n\"x", "t.csv:2: expected a quote");
  refused("a,b\n\"x\"y,2\n", "expected a comma after a quoted cell, found 'y'");
}

TEST_CASE("sweep/table: the summary has Student's interval", "[sweep]") {
  Table table;
  for (const char* value : {"1", "2", "3", "4"}) table.add_row({{"k", "a"}, {"v", value}});
  table.add_row({{"k", "b"}, {"v", "7"}});
  table.add_row({{"k", "b"}});
  table.add_row({{"k", "c"}});
  const Table result = summary(table, {"k"}, {"v"});
  REQUIRE(result.size() == 3);
  const auto number = [&](std::size_t row, const char* column) {
    return std::stod(std::string(result.cell(row, result.column(column))));
  };
  REQUIRE(number(0, "runs") == 4);
  REQUIRE(number(0, "v.mean") == 2.5);
  REQUIRE(std::abs(number(0, "v.deviation") - std::sqrt(5.0 / 3)) < 1e-14);
  // t of 3 degrees of freedom at 97.5 %, from tables.
  const double half = 3.182446305 * std::sqrt(5.0 / 3) / 2;
  REQUIRE(std::abs(number(0, "v.low") - (2.5 - half)) < 1e-8);
  REQUIRE(std::abs(number(0, "v.high") - (2.5 + half)) < 1e-8);
  REQUIRE(number(1, "v.mean") == 7);
  REQUIRE(result.cell(1, result.column("v.deviation")).empty());
  REQUIRE(result.cell(2, result.column("v.mean")).empty());
}

TEST_CASE("sweep/table: HDF5, equal for equal tables", "[sweep]") {
  const xbar_test::TemporaryFolder folder;
  Table table;
  table.add_row({{"a", "1.5"}, {"b", "text"}});
  table.add_row({{"a", ""}, {"b", "other"}});
  if (!has_hdf5()) {
    REQUIRE_THROWS_WITH(write_hdf5(folder / "t.h5", table, "c"), xbar_test::Contains("no HDF5"));
    WARN("skipped: this build has no HDF5");
    return;
  }
  write_hdf5(folder / "t.h5", table, "comment");
  write_hdf5(folder / "u.h5", table, "comment");
  const std::string bytes = xbar::read_file(folder / "t.h5");
  REQUIRE(bytes.substr(0, 6) == "\x89HDF\r\n");
  REQUIRE(bytes == xbar::read_file(folder / "u.h5"));
  REQUIRE_THROWS_AS(write_hdf5(folder / "t.h5" / "v.h5", table, "c"), xbar::IoError);
}
