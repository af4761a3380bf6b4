/**
The table that the testbed adds next to the rules under test.
*/

/** The name of the table, family inet. */
export const traceTable = 'testbed-trace';

/**
The words for nft that begin the table. An earlier one is deleted first; if it is known that there is none (`isFirst`), that is left out, and nft fails if there is one after all. A program that has deleted anything waits at its end until no processor can see it any more (`nft_rcv_nl_event` in net/netfilter/nf_tables_api.c), four ticks of the kernel's clock: 16 of 20 ms (measured, Linux 6.18 with 250 ticks a second).
*/
export function beginTable(isFirst: boolean): string {
	return isFirst ? `create table inet ${traceTable}\n` : `table inet ${traceTable} {}\ndelete table inet ${traceTable}\n`;
}
