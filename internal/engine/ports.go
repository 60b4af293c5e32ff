package engine

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// loopback is the only address the engine listens on.
const loopback = "127.0.0.1"

// ports are the two loopback ports of the engine. They are kept over restarts, so that a client configured from outside
// (a developer's clickhouse-client) keeps working; a port that somebody else took meanwhile is chosen anew.
type ports struct {
	TCP  int `json:"tcp"`
	HTTP int `json:"http"`
}

func (p ports) tcpAddr() string  { return net.JoinHostPort(loopback, strconv.Itoa(p.TCP)) }
func (p ports) httpAddr() string { return net.JoinHostPort(loopback, strconv.Itoa(p.HTTP)) }

// choosePorts reads the ports kept in path, replaces what is missing or taken, and writes the result back.
func choosePorts(path string) (ports, error) {
	var kept ports
	if data, err := os.ReadFile(path); err == nil {
		// A damaged file only means that new ports are chosen.
		_ = json.Unmarshal(data, &kept)
	}
	tcp, err := listenOn(kept.TCP)
	if err != nil {
		return ports{}, err
	}
	defer func() { _ = tcp.Close() }()
	http, err := listenOn(kept.HTTP)
	if err != nil {
		return ports{}, err
	}
	defer func() { _ = http.Close() }()
	chosen := ports{TCP: portOf(tcp), HTTP: portOf(http)}
	if chosen == kept {
		return chosen, nil
	}
	data, err := json.Marshal(chosen)
	if err != nil {
		return ports{}, fmt.Errorf("encode ports: %w", err)
	}
	if err := writePrivate(path, data); err != nil {
		return ports{}, err
	}
	return chosen, nil
}

// listenOn binds the wished loopback port, or any free one when it is zero or taken. Both listeners stay open until both
// ports are known, so the two never collide.
func listenOn(port int) (net.Listener, error) {
	if port > 0 {
		if l, err := net.Listen("tcp4", net.JoinHostPort(loopback, strconv.Itoa(port))); err == nil {
			return l, nil
		}
	}
	l, err := net.Listen("tcp4", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, fmt.Errorf("find a free loopback port: %w", err)
	}
	return l, nil
}

// free reports whether nobody listens on either port.
func (p ports) free() bool {
	for _, addr := range []string{p.tcpAddr(), p.httpAddr()} {
		l, err := net.Listen("tcp4", addr)
		if err != nil {
			return false
		}
		_ = l.Close()
	}
	return true
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

// writePrivate replaces path with data, readable by this user alone, whatever mode an older file had.
func writePrivate(path string, data []byte) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.Rename(next, path); err != nil {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	return nil
}
