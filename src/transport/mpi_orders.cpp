#include "transport/mpi_orders.h"

#include <nlohmann/json.hpp>

namespace busbar::mpi {
namespace {

using Json = nlohmann::json;

constexpr int order_tag = 22;
constexpr int assignment_tag = 23;
constexpr int ready_tag = 24;

Json node_json(const tree::Node& node) {
  Json children = Json::array();
  for (const tree::Child& child : node.children) {
    Json ranks = Json::array();
    for (const Rank rank : child.ranks) ranks.push_back(rank.value);
    children.push_back({{"process", child.process.value}, {"ranks", ranks}});
  }
  return {{"process", node.process.value},
          {"parent", node.parent ? Json(node.parent->value) : Json()},
          {"children", children}};
}

tree::Node node_from(const Json& json) {
  tree::Node node{.process = ProcessId{json.at("process").get<int>()}};
  if (!json.at("parent").is_null()) node.parent = ProcessId{json.at("parent").get<int>()};
  for (const Json& c : json.at("children")) {
    tree::Child child{.process = ProcessId{c.at("process").get<int>()}, .ranks = {}};
    for (const Json& rank : c.at("ranks")) child.ranks.emplace_back(rank.get<int>());
    node.children.push_back(std::move(child));
  }
  return node;
}

/// Both ends are the same program, so enumerations may travel as numbers.
Json job_json(const tree::Job& job) {
  return {{"flow", job.flow},
          {"type", job.type},
          {"redop", job.redop},
          {"ranks", job.ranks},
          {"root", job.root ? Json(job.root->value) : Json()},
          {"blocks", job.blocks},
          {"elements", job.elements},
          {"chunk", job.chunk},
          {"window", job.window},
          {"payload", job.payload}};
}

tree::Job job_from(const Json& json) {
  tree::Job job{.flow = json.at("flow").get<TreeFlow>(),
                .type = json.at("type").get<DataType>(),
                .redop = json.at("redop").get<RedOp>(),
                .ranks = json.at("ranks").get<int>(),
                .root = std::nullopt,
                .blocks = json.at("blocks").get<bool>(),
                .elements = json.at("elements").get<std::size_t>(),
                .chunk = json.at("chunk").get<std::size_t>(),
                .window = json.at("window").get<std::size_t>(),
                .payload = json.at("payload").get<bool>()};
  if (!json.at("root").is_null()) job.root = Rank{json.at("root").get<int>()};
  return job;
}

}  // namespace

void AggregatorOrders::assign(ProcessId aggregator, const Assignment& a) const {
  const std::string text = Json{
      {"job", job_json(a.job)},
      {"node", node_json(a.node)},
      {"tree", a.tree},
      {"trees", a.trees},
      {"operation", a.operation},
      {"size", a.size.value},
      {"deadline",
       a.deadline.count()}}.dump();
  send(aggregator, OrderBook::Kind::assignment, static_cast<int>(text.size()));
  check(MPI_Send(text.data(), static_cast<int>(text.size()), MPI_CHAR, aggregator.value, assignment_tag, comm_),
        "MPI_Send");
}

void AggregatorOrders::send(ProcessId aggregator, OrderBook::Kind kind, int bytes) const {
  OrderBook::Header header{static_cast<int>(kind), 0, bytes};
  check(MPI_Comm_rank(comm_, &header.sender), "MPI_Comm_rank");
  check(MPI_Send(&header, sizeof header, MPI_BYTE, aggregator.value, order_tag, comm_), "MPI_Send");
}

void AggregatorOrders::await_ready(ProcessId aggregator) const {
  check(MPI_Recv(nullptr, 0, MPI_BYTE, aggregator.value, ready_tag, comm_, MPI_STATUS_IGNORE), "MPI_Recv");
}

void AggregatorOrders::release(ProcessId aggregator) const { send(aggregator, OrderBook::Kind::release, 0); }

void AggregatorOrders::dismiss(ProcessId aggregator) const { send(aggregator, OrderBook::Kind::dismissal, 0); }

MPI_Request OrderBook::listen() {
  MPI_Request request = MPI_REQUEST_NULL;
  check(MPI_Irecv(&header_, sizeof header_, MPI_BYTE, MPI_ANY_SOURCE, order_tag, comm_, &request), "MPI_Irecv");
  return request;
}

Assignment OrderBook::read_assignment() const {
  std::string text(static_cast<std::size_t>(header_.bytes), '\0');
  check(MPI_Recv(text.data(), header_.bytes, MPI_CHAR, header_.sender, assignment_tag, comm_, MPI_STATUS_IGNORE),
        "MPI_Recv");
  const Json json = Json::parse(text);
  return Assignment{.job = job_from(json.at("job")),
                    .tree = json.at("tree").get<std::size_t>(),
                    .trees = json.at("trees").get<std::size_t>(),
                    .node = node_from(json.at("node")),
                    .operation = json.at("operation").get<std::string>(),
                    .size = Bytes{json.at("size").get<std::uint64_t>()},
                    .deadline = Nanoseconds{json.at("deadline").get<std::int64_t>()}};
}

void OrderBook::report_ready() const {
  check(MPI_Send(nullptr, 0, MPI_BYTE, header_.sender, ready_tag, comm_), "MPI_Send");
}

}  // namespace busbar::mpi
