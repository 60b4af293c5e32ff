package guard_test

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/seamarkhq/seamark/internal/guard"
)

func publicGuard(private ...netip.Prefix) *guard.Guard {
	return guard.New(guard.Options{
		Private: private, Ports: []uint16{443, 587}, Own: func() ([]netip.Addr, error) { return []netip.Addr{netip.MustParseAddr("93.184.215.14")}, nil },
	})
}

func TestGuardAddresses(t *testing.T) {
	g := publicGuard()
	blocked := []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "100.127.255.255", "127.0.0.1",
		"127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192",
		"192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255", "198.51.100.7",
		"203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
		"64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:db8::1",
		"2002:7f00:1::", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fdff::1", "fe80::1",
		"fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1",
		"93.184.215.14", "::ffff:93.184.215.14", // this machine
	}
	for _, text := range blocked {
		err := g.Check(netip.AddrPortFrom(netip.MustParseAddr(text), 443))
		if !errors.Is(err, guard.ErrBlocked) {
			t.Errorf("check(%s) = %v, want a refusal", text, err)
		}
	}
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.0.0.1", "128.0.0.1",
		"169.253.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "192.167.0.1", "192.169.0.1", "198.17.0.1", "198.20.0.1",
		"223.255.255.255", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450::1", "2001:4860:4860::8888",
	} {
		if err := g.Check(netip.AddrPortFrom(netip.MustParseAddr(text), 443)); err != nil {
			t.Errorf("check(%s) = %v, want nil", text, err)
		}
	}
	if err := g.Check(netip.AddrPort{}); !errors.Is(err, guard.ErrBlocked) {
		t.Errorf("check of no address = %v, want a refusal", err)
	}
}

func TestGuardPortsAndPrivateReceivers(t *testing.T) {
	g := publicGuard(netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8"))
	tests := []struct {
		target string
		ok     bool
	}{
		{"8.8.8.8:443", true},
		{"8.8.8.8:587", true},
		{"8.8.8.8:25", false},
		{"8.8.8.8:22", false},
		{"8.8.8.8:0", false},
		{"10.1.2.3:9093", true},
		{"[::ffff:10.1.2.3]:9093", true},
		{"10.2.0.1:443", false},
		{"[fd12::1]:8080", true},
		{"[fe80::1]:443", false},
	}
	for _, tt := range tests {
		if err := g.Check(netip.MustParseAddrPort(tt.target)); (err == nil) != tt.ok {
			t.Errorf("check(%s) = %v, want ok %v", tt.target, err, tt.ok)
		}
	}
}

func TestGuardControlRefusesWhatIsNotTCP(t *testing.T) {
	g := publicGuard()
	for _, tt := range [][2]string{
		{"udp4", "8.8.8.8:443"}, {"unix", "/var/run/docker.sock"}, {"tcp4", "/var/run/docker.sock"}, {"tcp4", "host:443"}, {"tcp", "8.8.8.8:443"},
	} {
		if err := g.Control(tt[0], tt[1], nil); !errors.Is(err, guard.ErrBlocked) {
			t.Errorf("control(%s, %s) = %v, want a refusal", tt[0], tt[1], err)
		}
	}
}

func TestGuardPortsFrom(t *testing.T) {
	g := guard.New(guard.Options{Ports: []uint16{80, 443}, PortsFrom: 1024, Own: func() ([]netip.Addr, error) { return nil, nil }})
	for target, ok := range map[string]bool{"8.8.8.8:80": true, "8.8.8.8:443": true, "8.8.8.8:25": false, "8.8.8.8:1023": false, "8.8.8.8:1024": true, "8.8.8.8:9092": true, "10.0.0.1:9092": false} {
		if err := g.Check(netip.MustParseAddrPort(target)); (err == nil) != ok {
			t.Errorf("Check(%s) = %v, want ok %v", target, err, ok)
		}
	}
}
