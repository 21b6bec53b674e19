"""Where a call goes: one pure function decides it, for live calls, simulation and verification alike."""
