package pg

import "syscall"

const capDACOverride = 1 // CAP_DAC_OVERRIDE of linux/capability.h

// dropTo keeps the one capability that lets the server through a closed parent of its folder.
func (a *account) dropTo(attr *syscall.SysProcAttr) {
	attr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	attr.AmbientCaps = []uintptr{capDACOverride}
}

func systemLocale() string { return "C.UTF-8" }
