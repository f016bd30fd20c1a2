#include <limits>

#include <xbar/core/error.hpp>
#include <xbar/report/page.hpp>
#include <xbar/report/plot.hpp>

#include "markup.hpp"
#include "support/catch.hpp"

using namespace xbar::report;
using xbar_test::contains;
using xbar_test::count;

namespace {

void check_sound(const std::string& html) {
  const std::string fault = xbar_test::markup_fault(html);
  const std::string outside = xbar_test::outside_reference(html);
  CAPTURE(fault, outside);
  CHECK(fault.empty());
  CHECK(outside.empty());
}

/// Everything between <main> and </main>.
std::string main_part(const std::string& html) {
  const std::size_t start = html.find("<main>");
  return html.substr(start, html.find("</main>") - start);
}

}  // namespace

TEST_CASE("report/page: an empty page is a whole document") {
  const std::string html = Page("Title").html();
  check_sound(html);
  CHECK(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"));
  CHECK(html.ends_with("</html>\n"));
  CHECK(contains(html, "<meta charset=\"utf-8\">"));
  CHECK(contains(html, "<title>Title</title>"));
  CHECK(contains(html, "<h1>Title</h1>"));
  CHECK_FALSE(contains(html, "<nav"));
}

TEST_CASE("report/page: text is escaped wherever it comes in") {
  const std::string evil = "<script>alert(\"x\")</script>&'";
  Page page(evil, evil);
  page.verdict(Status::good, evil, evil).card({evil, evil, evil, evil, Status::bad}).footer(evil);
  page.section("other");
  page.section("third");
  Blocks& section = page.section(evil);
  section.paragraph(evil).figure("<svg></svg>", evil).preformatted(evil).key_values({{evil, evil}});
  section.table({{evil}, {{evil}, {"b"}}, evil});
  section.details(evil).paragraph(evil);
  const std::string html = page.html();
  check_sound(html);
  CHECK(count(html, "<script>") == 1);  // the page's own
  CHECK_FALSE(contains(html, "alert(\""));
}

TEST_CASE("report/page: everything fits together with plots inside") {
  Page page("Run", "sub");
  page.verdict(Status::warn, "Close to the tolerance");
  page.card({"Error", "0.61", "%", "why", Status::good});
  LinePlot plot{"p", {"x"}, {"y"}, {{"s", {1, 2}, {3, 4}}}};
  Heatmap map{"m", xbar::Matrix::Identity(20, 20), "q", "V"};
  page.section("A").paragraph("text").figure(plot.svg(), "one").figure(map.svg(), "two");
  page.section("B").figure(plot.svg(), {}, true);
  page.section("C").details("more").figure(plot.svg()).preformatted("x = 1\n");
  const std::string html = page.html();
  check_sound(html);
  CHECK(count(html, "<figure") == 4);
  CHECK(count(html, "<div class=\"figures\">") == 3);  // neighbours share one
  CHECK(html == page.html());
}

TEST_CASE("report/page: verdict comes before cards and cards before sections") {
  Page page("t");
  page.section("First").paragraph("body");
  page.card({"label", "value"});
  page.verdict(Status::bad, "Failed", "because");
  const std::string html = page.html();
  const std::size_t verdict = html.find("Failed");
  const std::size_t card = html.find(">label<");
  const std::size_t section = html.find("<h2>");
  REQUIRE(verdict != std::string::npos);
  REQUIRE(card != std::string::npos);
  REQUIRE(section != std::string::npos);
  CHECK(verdict < card);
  CHECK(card < section);
  // Told without colour too.
  CHECK(contains(html, "aria-label=\"bad\""));
}

TEST_CASE("report/page: contents list every section under a unique anchor") {
  Page page("t");
  page.section("IR drop");
  page.section("IR drop");
  page.section("Ω");
  page.section("IR drop 2");
  const std::string html = page.html();
  check_sound(html);
  for (const char* id : {"ir-drop", "ir-drop-2", "section", "ir-drop-2-2"}) {
    CAPTURE(id);
    CHECK(count(html, std::string("<section id=\"") + id + "\">") == 1);
    CHECK(count(html, std::string("href=\"#") + id + "\"") == 1);
  }
}

TEST_CASE("report/page: table columns of numbers are right-aligned and sort by value") {
  Table table{{"Tile", "Error", "Note"},
              {{"a", Cell::fixed(0.5, 2), "ok"},
               {"b", Cell::number(1e-5), 3},
               {"c", std::numeric_limits<double>::quiet_NaN()}},
              "cap"};
  const std::string html = [&] {
    Page page("t");
    page.section("s").table(table);
    return main_part(page.html());
  }();
  CHECK(contains(html, R"(<td class="n short" data-v="0.5">0.50</td>)"));
  CHECK(contains(html, R"(data-v="1e-05">1×10⁻⁵</td>)"));
  CHECK(contains(html, R"(<td class="n short">n/a</td>)"));         // no value to sort by
  CHECK(contains(html, R"(<td class="short" data-v="3">3</td>)"));  // mixed: left-aligned
  CHECK(contains(html, R"(<th scope="col" class="n short">Error</th>)"));
  CHECK(contains(html, "class=\"sortable\""));
  CHECK(count(html, "<td") == 9);  // the short row is filled up
}

TEST_CASE("report/page: tables are sortable only where that means something") {
  Blocks one;
  one.table({{"a"}, {{1}}});
  CHECK_FALSE(contains(one.html(), "sortable"));
  Blocks off;
  off.table({{"a"}, {{1}, {2}}, "", false});
  CHECK_FALSE(contains(off.html(), "sortable"));
}

TEST_CASE("report/page: a table row longer than its header is refused") {
  Blocks blocks;
  CHECK_THROWS_WITH(blocks.table({{"a", "b"}, {{1, 2}, {1, 2, 3}}, "cap"}),
                    Catch::Matchers::Contains("'cap'") &&
                        Catch::Matchers::Contains("row 1 has 3 cells") &&
                        Catch::Matchers::Contains("header has 2"));
}

TEST_CASE("report/page: cells show numbers readably") {
  CHECK(Cell(3).text == "3");
  CHECK(Cell(-7).text == "\u22127");
  CHECK(Cell(0.12345).text == "0.1235");
  CHECK(Cell(0.12345F, 2).text == "0.12");
  CHECK(Cell(std::size_t{40000}).key == 40000.0);
  CHECK(Cell("x").key == std::nullopt);
  CHECK(Cell::fixed(95, 1).text == "95.0");
  CHECK(Cell::number(2, 3, Status::bad).status == Status::bad);
}

TEST_CASE("report/page: the theme can be fixed") {
  CHECK(contains(Page("t").theme(Theme::dark).html(), "<html lang=\"en\" data-theme=\"dark\">"));
  CHECK(contains(Page("t").theme(Theme::light).html(), "data-theme=\"light\">"));
  const std::string html = Page("t").html();
  CHECK(contains(html, "prefers-color-scheme:dark"));
  CHECK(contains(html, "@media print"));
}

TEST_CASE("report/page: sections and details stay valid while the page grows") {
  Page page("t");
  Blocks& first = page.section("first");
  Blocks& inner = first.details("inner");
  for (int i = 0; i < 100; ++i) {
    page.section("s" + std::to_string(i));
    first.paragraph("p");
  }
  first.paragraph("FIRST");
  inner.paragraph("INNER");
  const std::string html = page.html();
  check_sound(html);
  CHECK(html.find("INNER") < html.find("FIRST"));
  CHECK(contains(html, "<details><summary>inner</summary>"));
}

TEST_CASE("report/page: the page forbids the network to the browser") {
  const std::string html = Page("t").html();
  CHECK(contains(html, "default-src 'none'"));
}
