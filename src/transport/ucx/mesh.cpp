#include "transport/ucx/mesh.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <utility>

#include "core/error.h"
#include "measure/exchange.h"
#include "transport/ucx/ways.h"

namespace busbar::ucx {
namespace {

// Told apart from an operation's messages, whose tags are ranks.
constexpr ucp_tag_t settled = ucp_tag_t{1} << 63;
constexpr ucp_tag_t whole_tag = ~ucp_tag_t{0};

ucp_tag_t settled_tag_of(Rank rank) { return settled | static_cast<ucp_tag_t>(rank.value); }

}  // namespace

Mesh::Mesh(std::shared_ptr<ucp_context> context, std::unique_ptr<Control> control, bool share_core)
    : context_(std::move(context)),
      control_(std::move(control)),
      share_core_(share_core),
      worker_(open_worker(context_.get())),
      addresses_(share(address_of(worker_.get()))),
      endpoints_(static_cast<std::size_t>(control_->size()), nullptr),
      exceptions_(std::uncaught_exceptions()) {}

Mesh::~Mesh() {
  // A rank that an exception ends cannot wait for the others, who are still at work.
  if (std::uncaught_exceptions() > exceptions_) return;
  try {
    control_->barrier();  // operations are settled: from here on nobody has anything on its way to this rank
  } catch (const std::exception& problem) {
    fmt::print(stderr, "busbar-bench: closing UCX: {}\n", problem.what());
  }
}

std::vector<std::string> Mesh::share(std::span<const std::byte> mine) {
  const auto* const text = reinterpret_cast<const char*>(mine.data());
  std::string joined;
  for (const std::string& one : gather_texts(*control_, std::string(text, mine.size()))) {
    const std::uint64_t length = one.size();
    joined.append(reinterpret_cast<const char*>(&length), sizeof(length));
    joined += one;
  }
  joined = broadcast_text(*control_, std::move(joined));
  std::vector<std::string> all;
  for (std::size_t at = 0; at < joined.size();) {
    std::uint64_t length = 0;
    joined.copy(reinterpret_cast<char*>(&length), sizeof(length), at);
    at += sizeof(length);
    all.push_back(joined.substr(at, length));
    at += length;
  }
  return all;
}

void Mesh::connect(const std::set<Rank>& peers) {
  std::set<Rank> fresh;
  for (const Rank peer : peers) {
    const auto index = static_cast<std::size_t>(peer.value);
    if (endpoints_.at(index) != nullptr) continue;
    ucp_ep_params_t params{};
    params.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS;
    params.address = reinterpret_cast<const ucp_address_t*>(addresses_.at(index).data());
    check(ucp_ep_create(worker_.get(), &params, &endpoints_[index]), "ucp_ep_create", peer);
    fresh.insert(peer);
  }
  settle(fresh);
}

void Mesh::settle(const std::set<Rank>& peers) const {
  const ucp_request_param_t how{};
  const std::uint64_t word = 0;
  std::vector<std::uint64_t> heard(peers.size());
  std::vector<std::pair<Rank, ucs_status_ptr_t>> requests;
  for (const Rank peer : peers) {
    const std::size_t n = requests.size() / 2;
    requests.emplace_back(
        peer, ucp_tag_recv_nbx(worker_.get(), &heard[n], sizeof(word), settled_tag_of(peer), whole_tag, &how));
    requests.emplace_back(peer, ucp_tag_send_nbx(endpoint(peer), &word, sizeof(word), settled_tag_of(self()), &how));
  }
  for (const auto& [peer, request] : requests)
    finish(request, "telling each other to be ready by ucp_tag_send_nbx", peer);
}

void Mesh::finish(ucs_status_ptr_t request, const char* call, std::optional<Rank> peer) const {
  if (!UCS_PTR_IS_PTR(request)) return check(UCS_PTR_STATUS(request), call, peer);
  wait_until([&] { return ucp_request_check_status(request) != UCS_INPROGRESS; });
  const ucs_status_t status = ucp_request_check_status(request);
  ucp_request_free(request);
  check(status, call, peer);
}

std::vector<std::string> Mesh::ways() const {
  std::vector<std::string> texts;
  for (const ucp_ep_h endpoint : endpoints_) {
    if (endpoint == nullptr) continue;
    char* text = nullptr;
    std::size_t length = 0;
    std::FILE* const stream = open_memstream(&text, &length);
    if (stream == nullptr) throw RuntimeError("open_memstream failed: no memory for UCX's description of an endpoint");
    ucp_ep_print_info(endpoint, stream);
    std::fclose(stream);
    texts.emplace_back(text, length);
    std::free(text);
  }
  return describe_ways(texts);
}

}  // namespace busbar::ucx
