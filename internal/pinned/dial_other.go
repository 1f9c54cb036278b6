//go:build !linux

package pinned

import (
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}
