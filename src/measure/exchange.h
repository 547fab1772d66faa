// Text of any length over a Control.
#pragma once

#include <string>
#include <vector>

#include "measure/control.h"

namespace busbar {

/// Rank 0's text, at every rank.
std::string broadcast_text(Control& control, std::string text);

/// Every rank's text in rank order at rank 0; empty elsewhere.
std::vector<std::string> gather_texts(Control& control, const std::string& mine);

void send_text(Control& control, Rank to, const std::string& text);
std::string receive_text(Control& control, Rank from);

}  // namespace busbar
