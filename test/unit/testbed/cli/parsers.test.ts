import test from 'ava';
import {InvalidArgumentError} from 'commander';
import {
	answerFormats, formatReader, formats, idMax, readBackend, readBackends, readFamilies, readId, readNumber, readServers, readTypes, runFormats,
} from '../../../../testbed/cli/parsers.js';

type Row = {readonly title: string; readonly read: () => unknown; readonly value?: unknown; readonly error?: string};

const bounds = {min: 1, max: 10};
const within = 'it must be a whole number from 1 to 10.';
const anyId = `it must be a whole number from 0 to ${idMax}.`;

const rows: readonly Row[] = [
	{title: 'the smallest number', read: () => readNumber('1', bounds), value: 1},
	{title: 'the largest number', read: () => readNumber('10', bounds), value: 10},
	{title: 'a number with zeros in front', read: () => readNumber('007', bounds), value: 7},
	...['0', '11', '-1', '+1', '1.0', '1e0', '0x1', ' 1', '1 ', '', 'one', '１', '99999999999999999999'].map(text => ({title: `no number within bounds: "${text}"`, read: () => readNumber(text, bounds), error: within})),
	{title: 'root', read: () => readId('0'), value: 0},
	{title: 'the largest user', read: () => readId('4294967294'), value: 4_294_967_294},
	{title: 'the user that means unchanged', read: () => readId('4294967295'), error: anyId},
	{title: 'a user by name', read: () => readId('root'), error: anyId},
	{title: 'one type', read: () => readTypes('1'), value: ['1']},
	{title: 'types in their order, each once', read: () => readTypes('4b, 1,4b ,6'), value: ['4b', '1', '6']},
	{title: 'an empty place among types', read: () => readTypes('1,,2,'), value: ['1', '2']},
	{title: 'no types', read: () => readTypes(' , '), error: 'it must name at least one type.'},
	{title: 'types of which the mesh is not known yet', read: () => readTypes('x,scrape'), value: ['x', 'scrape']},
	{title: 'one family', read: () => readFamilies('ipv6'), value: ['ipv6']},
	{title: 'both families', read: () => readFamilies('both'), value: ['ipv4', 'ipv6']},
	...['', 'inet', 'constructor', '__proto__'].map(text => ({title: `no family: "${text}"`, read: () => readFamilies(text), error: 'it must be ipv4, ipv6 or both.'})),
	...([['IPv4', 'ipv4'], ['v6', 'ipv6'], ['bth', 'both'], ['ipv5', 'ipv4 or ipv6']] as const).map(([text, meant]) => ({title: `nearly a family: "${text}"`, read: () => readFamilies(text), error: `it must be ipv4, ipv6 or both. Did you mean ${meant}?`})),
	{title: 'a back end', read: () => readBackend('iptables-legacy'), value: 'iptables-legacy'},
	{title: 'native nftables', read: () => readBackend('nftables'), value: 'nftables'},
	{title: 'a back end that is none', read: () => readBackend('nft'), error: 'it must be iptables-nft, iptables-legacy or nftables. Did you mean iptables-nft or nftables?'},
	{title: 'nearly a back end', read: () => readBackends('legacy'), error: 'it must be iptables-nft, iptables-legacy, nftables or all. Did you mean iptables-legacy?'},
	{title: 'several back ends, each once', read: () => readBackends('iptables-legacy, nftables,iptables-legacy'), value: ['iptables-legacy', 'nftables']},
	{title: 'all back ends', read: () => readBackends('all'), value: ['iptables-nft', 'iptables-legacy', 'nftables']},
	{title: 'a list with one that is none', read: () => readBackends('iptables-nft,ebtables'), error: 'it must be iptables-nft, iptables-legacy, nftables or all. Did you mean nftables?'},
	{title: 'name servers of both families', read: () => readServers('10.96.0.10, 2001:db8::a,'), value: ['10.96.0.10', '2001:db8::a']},
	{title: 'a name server by name', read: () => readServers('10.96.0.10,dns.example'), error: '"dns.example" is not an IP address.'},
	...runFormats.map(format => ({title: `the format ${format}`, read: () => formatReader(runFormats)(format), value: format})),
	...([['xml', 'junit'], ['md', 'markdown'], ['markdwn', 'markdown'], ['JSON', 'json'], ['tpa', 'tap'], ['Actions', 'github'], ['htm', 'html'], ['hmtl', 'html'], ['pdf', 'html'], ['', ''], ['yaml', ''], ['constructor', '']] as const)
		.map(([text, meant]) => ({title: `no format: "${text}"`, read: () => formatReader(formats)(text), error: `it must be text, json, html, tap, junit, markdown or github.${meant === '' ? '' : ` Did you mean ${meant}?`}`})),
	...(['svg', 'mermaid'] as const).map(format => ({title: `${format} of a command with many connections`, read: () => formatReader(formats)(format), error: `${format} draws one connection, but this command has many. html draws all of them; testbed probe --format ${format} draws one.`})),
	{title: 'a picture, where pictures are', read: () => formatReader(answerFormats)('png'), error: 'it must be text, json, html, svg or mermaid. Did you mean svg?'},
	{title: 'nearly a format of one answer', read: () => formatReader(answerFormats)('mermiad'), error: 'it must be text, json, html, svg or mermaid. Did you mean mermaid?'},
];

for (const {title, read, value, error} of rows) {
	test(`arguments: ${title}`, t => {
		if (error === undefined) {
			t.deepEqual(read(), value);
		} else {
			t.throws(read, {instanceOf: InvalidArgumentError, message: error});
		}
	});
}
