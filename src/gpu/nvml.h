// The GPU's state as the driver tells it through NVML, which is loaded at run time and declared here, from its
// documented interface: neither its header nor its library need be there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gpu/platform.h"

namespace busbar::gpu {

/// NVML's clocks event reasons (throttle reasons, before driver 535) by their names without the prefix, those left out
/// that slow nothing: an idle GPU, and clocks that someone set for applications. A bit without a name is given as a
/// number.
std::vector<std::string> throttle_reasons(std::uint64_t bits);

class NvmlLibrary;

/// NVML in this process, from construction to the end of the last of its GPUs.
class Nvml {
 public:
  /// Never fails: where the library is missing or refuses, nothing is known of any GPU.
  explicit Nvml(const std::string& library = "libnvidia-ml.so.1");

  /// One GPU.
  class Gpu {
   public:
    Gpu() = default;  ///< of which nothing is known
    /// What the driver does not tell is absent.
    Health health() const;

   private:
    friend class Nvml;
    std::shared_ptr<const NvmlLibrary> library_;
    void* handle_ = nullptr;
  };

  /// By the address on the PCI bus, the only name that CUDA and NVML share whatever CUDA_VISIBLE_DEVICES says.
  Gpu find(const std::string& pci_bus_id) const;

 private:
  std::shared_ptr<const NvmlLibrary> library_;
};

}  // namespace busbar::gpu
