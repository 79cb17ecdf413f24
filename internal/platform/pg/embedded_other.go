//go:build !linux

package pg

import "syscall"

func (a *account) dropTo(attr *syscall.SysProcAttr) {
	attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
}

func systemLocale() string { return "en_US.UTF-8" }
