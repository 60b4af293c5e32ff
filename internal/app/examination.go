package app

import (
	"cmp"
	"time"

	"github.com/seamarkhq/seamark/internal/doctor"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// What a server holds its surroundings against where nobody says otherwise; `seamark doctor` has flags for them.
const (
	maxClockDifference   = time.Second
	minCertificateLife   = 14 * 24 * time.Hour
	minFreeInodesPercent = 5
	examineTimeout       = 2 * time.Second
)

// Examination turns a process's options into what is looked at of its installation.
func (o *Options) Examination() doctor.Options {
	d := doctor.Options{
		Settings: o.Validate(), DataDir: o.DataDir, Socket: SocketPath(o.DataDir), Admin: o.Admin.Listen,
		Addresses: o.addresses(), RootKey: o.rootKey(), Certificates: o.certificates(),
		NATS: doctor.NATSOptions{
			URL: o.NATS.URL, CredsFile: o.NATS.CredsFile, Replicas: o.NATS.Replicas,
			Streams: o.Bus.Shards * o.ClickHouse.stores() * len(seamark.Signals()), MaxStreamBytes: o.Bus.MaxStreamBytes, DuplicateWindow: o.Bus.DuplicateWindow,
		},
		ClickHouse: doctor.ClickHouseOptions{
			CreateUsers: o.ClickHouse.TenantUsers == "sql", Workloads: o.ClickHouse.Workloads, Library: o.ClickHouse.Library,
		},
		Disk: doctor.DiskOptions{
			Dirs: []string{o.DataDir}, MinFreePercent: o.Disk.MinFreePercent, MaxReserveBytes: o.Disk.MaxReserveBytes, MinFreeInodesPercent: minFreeInodesPercent,
		},
		MemoryBytes: o.memoryBytes(), Files: uint64(o.HTTP.MaxConns) + engineFiles,
		MaxClockDifference: maxClockDifference, CertificateLife: minCertificateLife, Timeout: examineTimeout, Now: time.Now,
	}
	web := o.ClickHouse.ShardHTTPAddrs()
	for i, dsn := range o.ClickHouse.DSNs {
		shard := doctor.ClickHouseShard{DSN: dsn}
		if i < len(web) {
			shard.HTTPAddrs = web[i]
		}
		d.ClickHouse.Shards = append(d.ClickHouse.Shards, shard)
	}
	if dir := o.Tenants.TransferDir; dir != "" {
		d.Disk.Dirs = append(d.Disk.Dirs, dir)
	}
	return d
}

// engineFiles is what streams, tables and connections between processes take beside the connections of the front.
const engineFiles = 4096

func (o *Options) addresses() []doctor.Address {
	list := []doctor.Address{{Flag: "http.listen", Addr: o.HTTP.Listen}, {Flag: "admin.listen", Addr: o.Admin.Listen}}
	for _, a := range []doctor.Address{
		{Flag: "otlp.grpc-listen", Addr: o.OTLP.GRPCListen}, {Flag: "otlp.http-listen", Addr: o.OTLP.HTTPListen},
		{Flag: "syslog.listen", Addr: o.Syslog.Listen}, {Flag: "syslog.tls-listen", Addr: o.Syslog.TLSListen},
		{Flag: "forward.listen", Addr: o.Forward.Listen}, {Flag: "forward.tls-listen", Addr: o.Forward.TLSListen},
	} {
		if a.Addr != "" {
			list = append(list, a)
		}
	}
	return list
}

func (o *Options) certificates() (list []doctor.Certificate) {
	if o.HTTP.TLSCertFile != "" {
		list = append(list, doctor.Certificate{Flag: "http.tls-cert-file", File: o.HTTP.TLSCertFile, Key: cmp.Or(o.HTTP.TLSKeyFile, o.HTTP.TLSCertFile)})
	}
	if o.HTTP.TLSClientCAFile != "" {
		list = append(list, doctor.Certificate{Flag: "http.tls-client-ca-file", File: o.HTTP.TLSClientCAFile})
	}
	return list
}

// rootKey is where the process would look for the root key, if its roles use one.
func (o *Options) rootKey() doctor.RootKey {
	source := o.Keys.Source(o.DataDir, o.NATS.URL)
	for _, role := range o.Roles {
		if role == RoleAPI || role == RoleAlerting || role == RoleForwarder {
			return doctor.RootKey{Needed: true, Given: source.Text != "", File: source.File, Made: source.Create}
		}
	}
	return doctor.RootKey{}
}

// memoryBytes adds up what the settings bound. What they do not is about as much as the room for garbage.
func (o *Options) memoryBytes() int64 {
	sum := int64(Headroom)
	for _, role := range o.Roles {
		switch role {
		case RoleIngest:
			sum += o.Ingest.MaxInflightBytes + int64(o.Patterns.MaxBytes)
		case RoleQuerier:
			sum += o.Query.SeriesIndexBytes + o.Query.LogFilterBytes + o.Query.SampleCacheBytes
		}
	}
	if !o.ClickHouse.outside() {
		sum += o.ClickHouse.MaxMemoryBytes
	}
	return sum
}
