/** Which IPv6 addresses can be used, as /proc/net/if_inet6 and /proc/net/ipv6_route show them. The texts are from Linux 6.18. */

import test from 'ava';
import {unreadyAddresses} from '../../../../testbed/sandbox/ready-addresses.js';

const own = '20010db8000100000000000000000010';
const loopback = '00000000000000000000000000000001';
const none = '00000000000000000000000000000000';
const routeOf = (address: string, flags: string, length = '80'): string => `${address} ${length} ${none} 00 ${none} 00000000 00000002 00000000 ${flags}     eth0\n`;
const ready = `${loopback} 01 80 10 80       lo\n${own} 03 40 00 80     eth0\n`;
const local = routeOf(loopback, '80200001') + routeOf(own, '80200001');

test('all have their local route and are not tentative', t => {
	t.deepEqual(unreadyAddresses(ready, local), []);
	t.deepEqual(unreadyAddresses('', ''), []);
});

test('a tentative one', t => {
	t.deepEqual(unreadyAddresses(ready.replace('03 40 00 80', '03 40 00 c0'), local), [own]);
});

test('one without its local route: the network\'s route and one that is not local do not count', t => {
	t.deepEqual(unreadyAddresses(ready, routeOf(loopback, '80200001')), [own]);
	t.deepEqual(unreadyAddresses(ready, routeOf(loopback, '80200001') + routeOf(own, '00000001') + routeOf(own, '80200001', '40')), [own]);
});
