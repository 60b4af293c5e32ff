data "seamark_silence" "move" {
  id = seamark_silence.move.id
}
