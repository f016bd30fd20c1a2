#include <memory>
#include <string>
#include <vector>

#include <xbar/core/error.hpp>
#include <xbar/nn/layers/dropout.hpp>
#include <xbar/nn/layers/graph.hpp>
#include <xbar/nn/layers/linear.hpp>
#include <xbar/nn/network.hpp>

#include "nn/support/gradients.hpp"
#include "support/catch.hpp"

using Catch::Matchers::Contains;
using xbar::Index;
using namespace xbar::nn;

namespace {

// h = W1 x; y = (W2 h + h + x, W3 x) side by side: values that two and three steps use.
std::unique_ptr<Graph> branches() {
  auto graph = std::make_unique<Graph>("graph");
  const auto linear = [](const char* name, Index out) {
    return std::make_unique<Linear>(name, 4, out);
  };
  const Graph::Value hidden = graph->add(linear("fc1", 4), Graph::input);
  const Graph::Value second = graph->add(linear("fc2", 4), hidden);
  const Graph::Value side = graph->add(linear("fc3", 3), Graph::input);
  const Graph::Value sum = graph->add(std::make_unique<Sum>("sum"), {second, hidden, Graph::input});
  graph->add(std::make_unique<Concatenation>("join"), {sum, side});
  return graph;
}

}  // namespace

TEST_CASE("nn/graph: gradients agree with finite differences") {
  const auto graph = branches();
  xbar_test::randomise(*graph, 3);
  xbar_test::check_gradients(*graph, xbar_test::random_tensor({3, 4}, 2));
}

TEST_CASE("nn/graph: a value that one sum takes twice gets its gradient twice") {
  Graph graph("graph");
  graph.add(std::make_unique<Sum>("sum"), {Graph::input, Graph::input});
  Tensor x({1, 2});
  x.fill(3);
  CHECK(graph.forward(x)[1] == 6.0F);
  Tensor dy({1, 2});
  dy.fill(5);
  CHECK(graph.backward(dy)[1] == 10.0F);
}

TEST_CASE("nn/graph: without dx the parameters' gradients are the same") {
  const auto graph = branches();
  xbar_test::randomise(*graph, 3);
  const Tensor x = xbar_test::random_tensor({3, 4}, 2);
  const Tensor dy = xbar_test::random_tensor({3, 7}, 5);
  graph->forward(x);
  graph->backward(dy);
  std::vector<xbar::MatrixF> expected;
  for (const Parameter* parameter : graph->parameters()) expected.push_back(parameter->gradient);
  for (Parameter* parameter : graph->parameters()) parameter->gradient.setConstant(9);
  graph->forward(x);
  graph->backward_parameters(dy);
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CHECK(graph->parameters()[k]->gradient == expected[k]);
  }
}

TEST_CASE("nn/graph: images are concatenated by channel, items apart") {
  Graph graph("graph");
  graph.add(std::make_unique<Concatenation>("join"), {Graph::input, Graph::input});
  Tensor x({2, 1, 1, 2});
  for (Index i = 0; i < 4; ++i) x[i] = static_cast<float>(i);
  const Tensor& y = graph.forward(x);
  REQUIRE(y.shape() == Shape{2, 2, 1, 2});
  const float expected[] = {0, 1, 0, 1, 2, 3, 2, 3};
  for (Index i = 0; i < 8; ++i) CHECK(y[i] == expected[i]);
}

TEST_CASE("nn/graph: mode, parameters and names reach the network") {
  Network network("n", {4});
  auto with_dropout = branches();
  with_dropout->add(std::make_unique<Dropout>("drop"), 5);
  network.add(std::move(with_dropout));
  network.set_training(true);
  CHECK(network.layers().front()->children().back()->is_training());
  CHECK(network.weighted_layers().size() == 3);
  CHECK(network.parameters().size() == 6);
  auto graph = std::make_unique<Graph>("other");
  graph->add(std::make_unique<Linear>("fc2", 7, 2), Graph::input);
  CHECK_THROWS_WITH(network.add(std::move(graph)), Contains("fc2 twice"));
}

TEST_CASE("nn/graph: what does not fit is refused") {
  Graph graph("graph");
  CHECK_THROWS_WITH(graph.output_shape({1, 4}), Contains("at least one step"));
  CHECK_THROWS_WITH(graph.add(std::make_unique<Linear>("fc", 4, 4), 1),
                    Contains("value of 0 to 0") && Contains("found 1"));
  CHECK_THROWS_WITH(graph.add(std::make_unique<Sum>("sum"), {}), Contains("at least one input"));
  const auto half = graph.add(std::make_unique<Linear>("fc", 4, 2), Graph::input);
  graph.add(std::make_unique<Sum>("sum"), {half, Graph::input});
  CHECK_THROWS_WITH(graph.output_shape({1, 4}), Contains("sum: ") && Contains("(1, 2) and (1, 4)"));
  CHECK_THROWS_WITH(Concatenation("join").output_shape({{1, 2, 3, 3}, {1, 2, 3, 4}}),
                    Contains("(1, 2, 3, 3) and (1, 2, 3, 4)"));
}
