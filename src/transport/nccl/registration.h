// Buffers that NCCL knows beforehand, for as long as one operation is prepared.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "transport/nccl/communicator.h"
#include "transport/nccl/memory.h"
#include "transport/transport.h"

namespace busbar::nccl {

/// One sentence naming why buffers of `spec` cannot be registered as it asks; nothing where they can.
std::optional<std::string> registration_refusal(const Library& library, const OperationSpec& spec);

class Registrations {
 public:
  /// Symmetric: collective over the communicator's ranks.
  /// @throws UsageError where symmetric buffers are not from ncclMemAlloc.
  Registrations(std::shared_ptr<Communicator> comm, const Ledger& ledger, const OperationSpec& spec,
                const Buffers& buffers);
  ~Registrations();
  Registrations(const Registrations&) = delete;
  Registrations& operator=(const Registrations&) = delete;
  Registrations(Registrations&&) = delete;
  Registrations& operator=(Registrations&&) = delete;

 private:
  void add_local(std::byte* memory, std::size_t bytes);
  void add_window(std::byte* memory, std::size_t bytes);

  std::shared_ptr<Communicator> comm_;
  std::vector<void*> local_;
#if BUSBAR_NCCL_HEADER_HAS(2, 27)
  std::vector<ncclWindow_t> windows_;
#endif
};

}  // namespace busbar::nccl
