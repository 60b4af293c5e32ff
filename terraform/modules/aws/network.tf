# A VPC with a public and a private subnet in each of three zones, unless there is one. Everything but load balancer and NAT gateways is private.

locals {
  make_vpc    = var.vpc == null ? 1 : 0
  zones       = slice(data.aws_availability_zones.this.names, 0, min(3, length(data.aws_availability_zones.this.names)))
  made_zones  = var.vpc == null ? local.zones : []
  gateways    = var.vpc != null ? 0 : var.single_nat_gateway ? 1 : length(local.zones)
  vpc_id      = var.vpc == null ? aws_vpc.this[0].id : var.vpc.id
  private_ids = var.vpc == null ? aws_subnet.private[*].id : var.vpc.private_subnet_ids
  public_ids  = var.vpc == null ? aws_subnet.public[*].id : var.vpc.public_subnet_ids
}

resource "aws_vpc" "this" {
  count = local.make_vpc

  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true
  tags                 = merge(local.tags, { Name = var.name })
}

# Without rules: what forgets to name a group reaches nothing.
resource "aws_default_security_group" "this" {
  count = local.make_vpc

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${var.name}-unused" })
}

resource "aws_internet_gateway" "this" {
  count = local.make_vpc

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  count = length(local.made_zones)

  vpc_id            = aws_vpc.this[0].id
  availability_zone = local.made_zones[count.index]
  cidr_block        = cidrsubnet(var.cidr, 4, count.index)
  tags              = merge(local.tags, { Name = "${var.name}-public-${count.index}", "kubernetes.io/role/elb" = "1" })
}

resource "aws_subnet" "private" {
  count = length(local.made_zones)

  vpc_id            = aws_vpc.this[0].id
  availability_zone = local.made_zones[count.index]
  cidr_block        = cidrsubnet(var.cidr, 4, 8 + count.index)
  tags              = merge(local.tags, { Name = "${var.name}-private-${count.index}", "kubernetes.io/role/internal-elb" = "1" })
}

resource "aws_eip" "nat" {
  count = local.gateways

  domain = "vpc"
  tags   = merge(local.tags, { Name = "${var.name}-nat-${count.index}" })
}

resource "aws_nat_gateway" "this" {
  count = local.gateways

  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags          = merge(local.tags, { Name = "${var.name}-${count.index}" })

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  count = local.make_vpc

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "public" {
  count = local.make_vpc

  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public" {
  count = length(local.made_zones)

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table" "private" {
  count = length(local.made_zones)

  vpc_id = aws_vpc.this[0].id
  tags   = merge(local.tags, { Name = "${var.name}-private-${count.index}" })
}

resource "aws_route" "private" {
  count = length(local.made_zones)

  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[min(count.index, local.gateways - 1)].id
}

resource "aws_route_table_association" "private" {
  count = length(local.made_zones)

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

# Objects go to S3 without passing, and paying for, the NAT gateways.
resource "aws_vpc_endpoint" "s3" {
  count = local.make_vpc

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${local.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = aws_route_table.private[*].id
  tags              = merge(local.tags, { Name = "${var.name}-s3" })
}

# Names of the servers, which outlive their addresses.
resource "aws_route53_zone" "inner" {
  name = "${var.name}.internal"
  tags = local.tags

  vpc {
    vpc_id = local.vpc_id
  }
}
