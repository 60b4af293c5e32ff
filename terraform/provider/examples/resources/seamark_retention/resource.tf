resource "seamark_retention" "tenant" {
  signals = {
    logs = 14
  }

  streams = [
    { signal = "logs", selector = "{namespace=\"debug\"}", days = 2 },
  ]
}
