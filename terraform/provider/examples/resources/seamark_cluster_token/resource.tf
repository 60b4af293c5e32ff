# openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out agents.pem
# openssl pkey -in agents.pem -pubout -out agents.pub.pem
resource "seamark_cluster_token" "agents" {
  cluster_id = seamark_cluster.prod.id
  name       = "agents"
  seal_to    = file("${path.module}/agents.pub.pem")

  # Another text gives the token a new secret; the old one is good for a day more.
  rotation        = "2026-11"
  overlap_seconds = 86400
}
