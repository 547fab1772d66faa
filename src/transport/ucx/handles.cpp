#include "transport/ucx/handles.h"

#include <fmt/format.h>

#include "core/error.h"

namespace busbar::ucx {

void check(ucs_status_t status, std::string_view call, std::optional<Rank> peer) {
  if (status == UCS_OK) return;
  throw RuntimeError(fmt::format("{}{} failed: {}", call, peer ? fmt::format(" with rank {}", peer->value) : "",
                                 ucs_status_string(status)));
}

std::shared_ptr<ucp_context> open_context(int processes) {
  ucp_config_t* config = nullptr;
  check(ucp_config_read(nullptr, nullptr, &config), "ucp_config_read");
  const Owned<ucp_config_t*, ucp_config_release> owned(config);
  ucp_params_t params{};
  params.field_mask = UCP_PARAM_FIELD_FEATURES | UCP_PARAM_FIELD_ESTIMATED_NUM_EPS;
  params.features = UCP_FEATURE_TAG | UCP_FEATURE_RMA | UCP_FEATURE_AM;
  params.estimated_num_eps = static_cast<std::size_t>(processes);
  ucp_context_h context = nullptr;
  check(ucp_init(&params, config, &context), "ucp_init");
  return {context, FreedBy<ucp_cleanup>{}};
}

Worker open_worker(ucp_context_h context) {
  ucp_worker_params_t params{};
  params.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE;
  params.thread_mode = UCS_THREAD_MODE_SINGLE;
  ucp_worker_h worker = nullptr;
  check(ucp_worker_create(context, &params, &worker), "ucp_worker_create");
  return Worker(worker);
}

std::vector<std::byte> address_of(ucp_worker_h worker) {
  ucp_address_t* address = nullptr;
  std::size_t length = 0;
  check(ucp_worker_get_address(worker, &address, &length), "ucp_worker_get_address");
  const auto* const bytes = reinterpret_cast<const std::byte*>(address);
  std::vector<std::byte> copy(bytes, bytes + length);
  ucp_worker_release_address(worker, address);
  return copy;
}

Mapping::Mapping(std::shared_ptr<ucp_context> context, Bytes size) : context_(std::move(context)), size_(size) {
  ucp_mem_map_params_t params{};
  params.field_mask = UCP_MEM_MAP_PARAM_FIELD_LENGTH | UCP_MEM_MAP_PARAM_FIELD_FLAGS;
  params.length = size.value;
  params.flags = UCP_MEM_MAP_ALLOCATE;
  check(ucp_mem_map(context_.get(), &params, &handle_), fmt::format("ucp_mem_map of {} bytes", size.value));
  ucp_mem_attr_t attributes{};
  attributes.field_mask = UCP_MEM_ATTR_FIELD_ADDRESS;
  const ucs_status_t status = ucp_mem_query(handle_, &attributes);
  if (status != UCS_OK) ucp_mem_unmap(context_.get(), handle_);
  check(status, "ucp_mem_query");
  data_ = static_cast<std::byte*>(attributes.address);
}

Mapping::~Mapping() { ucp_mem_unmap(context_.get(), handle_); }

std::vector<std::byte> Mapping::packed_key() const {
  void* buffer = nullptr;
  std::size_t length = 0;
  check(ucp_rkey_pack(context_.get(), handle_, &buffer, &length), "ucp_rkey_pack");
  const auto* const bytes = static_cast<const std::byte*>(buffer);
  std::vector<std::byte> copy(bytes, bytes + length);
  ucp_rkey_buffer_release(buffer);
  return copy;
}

}  // namespace busbar::ucx
