/** The archive of the initramfs, read back by other code; and the order of modules. */

import {Buffer} from 'node:buffer';
import test from 'ava';
import fc from 'fast-check';
import {modulesFor, printArchive, type ArchiveEntry} from '../../../../testbed/kernels/initramfs.js';

/** Reads an archive of the form `newc` (cpio(5)). */
function readArchive(archive: Uint8Array): ReadonlyArray<{readonly name: string; readonly mode: number; readonly text: string}> {
	const bytes = Buffer.from(archive);
	const entries = [];
	for (let at = 0; at < bytes.length;) {
		const field = (index: number): number => Number.parseInt(bytes.toString('latin1', at + 6 + (8 * index), at + 14 + (8 * index)), 16);
		const [mode, size, nameSize] = [field(1), field(6), field(11)];
		if (bytes.toString('latin1', at, at + 6) !== '070701') {
			throw new Error(`no header at ${at}`);
		}

		const name = bytes.toString('utf8', at + 110, at + 110 + nameSize - 1);
		const start = Math.ceil((at + 110 + nameSize) / 4) * 4;
		entries.push({name, mode, text: bytes.toString('utf8', start, start + size)});
		at = Math.ceil((start + size) / 4) * 4;
	}

	return entries;
}

test('what is written can be read', t => {
	fc.assert(fc.property(fc.array(fc.record({name: fc.stringMatching(/^[a-z/]{1,20}$/), mode: fc.constantFrom(0o755, 0o644), text: fc.option(fc.string({unit: 'binary-ascii', maxLength: 50}))}), {maxLength: 5}), files => {
		const entries: readonly ArchiveEntry[] = files.map(({name, mode, text}) => ({name, mode, ...(text === null ? {} : {data: Buffer.from(text)})}));
		const read = readArchive(printArchive(entries));
		t.deepEqual(read.slice(0, -1), files.map(({name, mode, text}) => ({name, mode: (text === null ? 0o04_0000 : 0o10_0000) | mode, text: text ?? ''})));
		t.is(read.at(-1)?.name, 'TRAILER!!!');
	}));
});

// Of Debian's linux-image-6.12.118+deb13-cloud-amd64, shortened.
const dependencies = `kernel/fs/ext4/ext4.ko.xz: kernel/lib/crc16.ko.xz kernel/fs/mbcache.ko.xz kernel/fs/jbd2/jbd2.ko.xz kernel/crypto/crc32c_generic.ko.xz
kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio_pci_modern_dev.ko.xz kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/drivers/virtio/virtio-blk.ko.xz: kernel/drivers/virtio/virtio_ring.ko.xz kernel/drivers/virtio/virtio.ko.xz
kernel/lib/crc16.ko.xz:
`;

test('a module comes after what it needs, each once; one that is built in is left out', t => {
	const files = modulesFor(['virtio_pci', 'virtio_blk', 'ext4', 'built_in'], dependencies);
	t.deepEqual(files.map(file => file.split('/').at(-1)), [
		'virtio.ko.xz', 'virtio_ring.ko.xz', 'virtio_pci_modern_dev.ko.xz', 'virtio_pci.ko.xz', 'virtio-blk.ko.xz', 'crc32c_generic.ko.xz', 'jbd2.ko.xz', 'mbcache.ko.xz', 'crc16.ko.xz', 'ext4.ko.xz',
	]);
	t.deepEqual(modulesFor(['ext4'], ''), []);
});
