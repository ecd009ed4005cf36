-- theme.lua -- how all plots look: sizes in points, colours 0xRRGGBBAA.
return {
  width = 640, height = 440,                -- of a figure with one panel
  panel_width = 440, panel_height = 340,    -- of a panel among several
  family = "DejaVu Sans",
  tick_size = 11, label_size = 12, title_size = 14, heading_size = 17,
  margin = 12, gap = 6, tick_length = 4,
  ink = 0x1F2328FF, tick_ink = 0x57606AFF, axis = 0x8C959FFF, grid = 0xE4E7EBFF, minor_grid = 0xF1F3F5FF,
  frame = 0xD0D7DEFF, missing = 0xE4E7EBFF,
  line_width = 2, series = 0x0072B2FF,      -- where there is one series only
}
