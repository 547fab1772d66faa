// Ends the simulation when its launcher has gone, however it went: a point of many hosts takes minutes, in which nobody
// looks at standard input.
#pragma once

namespace busbar::sim {

/// Watches the pipe whose reading end BUSBAR_LIFELINE names, in a thread of its own; does nothing where it names none.
/// For one process of the simulation, which is all of them.
void hold_lifeline();

}  // namespace busbar::sim
