#include "transport/ucx/carrier.h"

#include "transport/ucx/by_am.h"
#include "transport/ucx/by_get.h"
#include "transport/ucx/by_put.h"
#include "transport/ucx/by_tag.h"

namespace busbar::ucx {

std::unique_ptr<Carrier> make_carrier(Method method, Mesh& mesh) {
  switch (method) {
    case Method::put: return std::make_unique<ByPut>(mesh);
    case Method::get: return std::make_unique<ByGet>(mesh);
    case Method::am: return std::make_unique<ByAm>(mesh);
    case Method::tag: break;
  }
  return std::make_unique<ByTag>(mesh);
}

}  // namespace busbar::ucx
