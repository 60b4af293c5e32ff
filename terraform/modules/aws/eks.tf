# A cluster for deploy/helm/seamark. Releases and the Secret in it are the caller's: a module cannot configure providers from what it makes.

locals {
  image = regex("^(?P<repository>[^@]+?)(?::(?P<tag>[^:@/]+))?(?:@(?P<digest>.+))?$", var.image)
}

resource "aws_iam_role" "eks" {
  count = local.eks

  name_prefix        = "${var.name}-eks-"
  assume_role_policy = data.aws_iam_policy_document.assume["eks"].json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "eks" {
  count = local.eks

  role       = aws_iam_role.eks[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonEKSClusterPolicy"
}

resource "aws_eks_cluster" "this" {
  count = local.eks

  name                      = var.name
  role_arn                  = aws_iam_role.eks[0].arn
  version                   = var.eks.version
  enabled_cluster_log_types = ["api", "audit", "authenticator"]
  tags                      = local.tags

  vpc_config {
    subnet_ids              = local.private_ids
    endpoint_private_access = true
    endpoint_public_access  = length(var.eks.public_cidrs) > 0
    public_access_cidrs     = length(var.eks.public_cidrs) > 0 ? var.eks.public_cidrs : null
  }
  access_config {
    authentication_mode                         = "API"
    bootstrap_cluster_creator_admin_permissions = true
  }
  encryption_config {
    resources = ["secrets"]

    provider {
      key_arn = aws_kms_key.this.arn
    }
  }

  depends_on = [aws_iam_role_policy_attachment.eks]
}

resource "aws_iam_role" "workers" {
  count = local.eks

  name_prefix        = "${var.name}-workers-"
  assume_role_policy = data.aws_iam_policy_document.assume["ec2"].json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "workers" {
  for_each = toset(local.eks == 1 ? ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryPullOnly"] : [])

  role       = aws_iam_role.workers[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/${each.key}"
}

# Pods must not reach the instance's credentials: one hop ends at the node.
resource "aws_launch_template" "workers" {
  count = local.eks

  name_prefix = "${var.name}-workers-"
  tags        = local.tags

  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type = "gp3"
      volume_size = 50
      encrypted   = true # under the account's own key, which the group may use without a grant
    }
  }
}

resource "aws_eks_node_group" "this" {
  count = local.eks

  cluster_name    = aws_eks_cluster.this[0].name
  node_group_name = "seamark"
  node_role_arn   = aws_iam_role.workers[0].arn
  subnet_ids      = local.private_ids
  instance_types  = [var.eks.instance_type]
  tags            = local.tags

  scaling_config {
    desired_size = var.eks.min
    min_size     = var.eks.min
    max_size     = var.eks.max
  }
  update_config {
    max_unavailable = 1
  }
  launch_template {
    id      = aws_launch_template.workers[0].id
    version = aws_launch_template.workers[0].latest_version
  }

  lifecycle {
    ignore_changes = [scaling_config[0].desired_size]
  }

  depends_on = [aws_iam_role_policy_attachment.workers]
}

resource "aws_iam_role" "volumes" {
  count = local.eks

  name_prefix        = "${var.name}-volumes-"
  assume_role_policy = data.aws_iam_policy_document.assume["pods.eks"].json
  tags               = local.tags
}

resource "aws_iam_role_policy_attachment" "volumes" {
  count = local.eks

  role       = aws_iam_role.volumes[0].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicy"
}

resource "aws_eks_addon" "this" {
  for_each = toset(local.eks == 1 ? ["vpc-cni", "kube-proxy", "coredns", "eks-pod-identity-agent"] : [])

  cluster_name = aws_eks_cluster.this[0].name
  addon_name   = each.key
  tags         = local.tags

  depends_on = [aws_eks_node_group.this]
}

# Queriers keep exports on volumes.
resource "aws_eks_addon" "volumes" {
  count = local.eks

  cluster_name = aws_eks_cluster.this[0].name
  addon_name   = "aws-ebs-csi-driver"
  tags         = local.tags

  pod_identity_association {
    role_arn        = aws_iam_role.volumes[0].arn
    service_account = "ebs-csi-controller-sa"
  }

  depends_on = [aws_eks_addon.this, aws_iam_role_policy_attachment.volumes]
}
