// What libbusbar-gpu-fake.so exports.
#include "gpu/platform.h"

#include <fmt/format.h>

#include <memory>

#include "core/error.h"
#include "fakes/gpu/device.h"
#include "fakes/gpu/enqueue.h"
#include "fakes/gpu/settings.h"

namespace busbar::gpu::fake {
namespace {

class FakePlatform final : public Platform {
 public:
  bool fake() const override { return true; }
  std::string runtime_version() const override { return "13.0"; }
  std::optional<std::string> driver_version() const override { return "13.0"; }

  int devices() const override {
    const int count = gpus();
    if (count == 0) throw RuntimeError("no GPU can be used: BUSBAR_FAKE_GPUS is 0");
    return count;
  }

  std::unique_ptr<Device> open(int index) override {
    const int count = devices();
    if (index < 0 || index >= count) {
      throw RuntimeError(fmt::format("there is no GPU {}: this process sees {}, from 0 on", index, count));
    }
    return std::make_unique<FakeDevice>(index);
  }
};

}  // namespace
}  // namespace busbar::gpu::fake

extern "C" __attribute__((visibility("default"))) busbar::gpu::Platform* busbar_gpu_platform() {
  static busbar::gpu::fake::FakePlatform platform;
  return &platform;
}

extern "C" __attribute__((visibility("default"))) void busbar_fake_gpu_enqueue(void* stream, void (*work)(void*),
                                                                               void* argument, void (*release)(void*)) {
  const std::shared_ptr<void> owned(argument, [release](void* p) {
    if (release != nullptr) release(p);
  });
  busbar::gpu::fake::FakeStream at_once;
  auto& on = stream == nullptr ? at_once : *static_cast<busbar::gpu::fake::FakeStream*>(stream);
  on.put([work, owned] { work(owned.get()); });
}
