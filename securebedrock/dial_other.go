//go:build !linux

package securebedrock

import (
	"net"
	"time"
)

func setUserTimeout(*net.TCPConn, time.Duration) {}
