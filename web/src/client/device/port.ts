// What the page asks of this device, whoever keeps it: the worker of this browser, or the
// native client that serves this page.

import type { Device } from './device';

/** The public side of a device. */
export type DevicePort = Pick<Device, keyof Device>;
