// null: nothing. What its timed region shows is what the timed region itself costs.
#include "collectives/collective.h"

namespace busbar::collectives {
namespace {

class Null final : public Collective {
 public:
  Traits traits() const override {
    return {.name = "null", .summary = "does nothing: the cost of the timed region itself", .has_data = false};
  }

  double bus_factor(int) const override { return 1.0; }
  Layout layout(const Shape&, Rank) const override { return {}; }
  Answer answer(const Shape&, Rank) const override { return {}; }
  Schedule schedule(const Shape&, Rank) const override { return {}; }
};

}  // namespace

const Collective& null() {
  static const Null instance;
  return instance;
}

}  // namespace busbar::collectives
