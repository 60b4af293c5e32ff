package democluster

import (
	"math"
	"strconv"
)

// addCluster makes the series that do not belong to a pod.
func (r *registry) addCluster(w *world) {
	r.addWorkloads(w)
	r.addNodeStates(w)
	r.addAPIServer(w)
	r.addSmallTargets(w)
	for i, n := range w.nodes {
		r.addNode(w, i, n)
	}
}

// addNode makes node-exporter's series of a node, and the kubelet's up. Its scrape comes before those of the node's
// pods, so it tells their use of the interval before.
func (r *registry) addNode(w *world, ordinal int, n *node) {
	kubelets := r.newGroup(w, "job", "kubelet", "metrics_path", "/metrics/cadvisor", "instance", n.ip+":10250", "node", n.name)
	kubelets.constant(1, "up")
	r.addKubelet(w, n)
	g := r.newGroup(w, "job", "node-exporter", "instance", n.ip+":9100", "node", n.name)
	g.constant(1, "up")
	g.constant(n.memoryBytes, "node_memory_MemTotal_bytes")
	g.constant(float64(w.at.Add(-uptime(ordinal)).Unix()), "node_boot_time_seconds")
	cpus := newCPUs(g, n, uptime(ordinal).Seconds())
	available := g.newSeries("node_memory_MemAvailable_bytes")
	disk := []string{"device", "/dev/vda1", "fstype", "ext4", "mountpoint", "/"}
	g.constant(n.diskBytes, "node_filesystem_size_bytes", disk...)
	free := g.newSeries("node_filesystem_avail_bytes", disk...)
	free.set(n.diskBytes * (0.62 - 0.09*float64(ordinal)))
	received, sent := g.newSeries("node_network_receive_bytes_total", "device", "eth0"), g.newSeries("node_network_transmit_bytes_total", "device", "eth0")
	received.set(uptime(ordinal).Seconds() * 61_000)
	sent.set(uptime(ordinal).Seconds() * 74_000)
	io := g.newSeries("node_disk_io_time_seconds_total", "device", "vda")
	read, written := g.newSeries("node_disk_read_bytes_total", "device", "vda"), g.newSeries("node_disk_written_bytes_total", "device", "vda")
	g.constant(0, "node_network_receive_drop_total", "device", "eth0")
	g.constant(0, "node_network_transmit_drop_total", "device", "eth0")
	load := g.newSeries("node_load1")
	load.set(0.5)
	g.collect = func(seconds float64) {
		used := min(n.cpuUsed+0.06*float64(n.cores), 0.97*float64(n.cores))
		n.cpuUsed = 0
		cpus.spend(w, used/float64(n.cores), seconds)
		load.set(load.value + (used*1.2-load.value)*(1-math.Exp(-seconds/60)))
		taken := 0.08 * n.memoryBytes
		for _, p := range n.pods {
			taken += p.memory()
		}
		available.set(max(n.memoryBytes-taken, 0))
		free.add(-seconds * 900 * (0.5 + w.rand.Float64()))
		if free.value < 0.18*n.diskBytes { // the kubelet removes old images
			free.set(0.6 * n.diskBytes)
		}
		io.add(seconds * min(0.04+0.3*used/float64(n.cores)*w.rand.Float64(), 0.9))
		read.add(seconds * 12_000 * w.rand.Float64())
		written.add(seconds * 180_000 * (0.6 + 0.8*w.rand.Float64()))
		received.add(seconds * 50_000 * w.traffic() * (0.9 + 0.2*w.rand.Float64()))
		sent.add(seconds * 62_000 * w.traffic() * (0.9 + 0.2*w.rand.Float64()))
	}
}

// cpus is a node's CPU time by CPU and mode.
type cpus struct{ idle, user, system, iowait []*series }

func newCPUs(g *group, n *node, up float64) *cpus {
	c := &cpus{}
	for i := range n.cores {
		add := func(mode string, share float64) *series {
			s := g.newSeries("node_cpu_seconds_total", "cpu", strconv.Itoa(i), "mode", mode)
			s.set(math.Floor(up*share*100) / 100)
			return s
		}
		c.idle, c.user = append(c.idle, add("idle", 0.82)), append(c.user, add("user", 0.12))
		c.system, c.iowait = append(c.system, add("system", 0.05)), append(c.iowait, add("iowait", 0.01))
	}
	return c
}

// spend distributes the seconds of one interval; busy is the share that is not idle.
func (c *cpus) spend(w *world, busy, seconds float64) {
	for i := range c.idle {
		b := min(max(busy*(0.85+0.3*w.rand.Float64()), 0.01), 0.99)
		c.idle[i].add(seconds * (1 - b))
		c.user[i].add(seconds * b * 0.7)
		c.system[i].add(seconds * b * 0.25)
		c.iowait[i].add(seconds * b * 0.05)
	}
}
