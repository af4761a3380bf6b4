/**
A piece of a field's domain.
*/

/** All values from `first` to `last`. Of a mark it is one value that stands for all that the rules' masks cannot tell from it. */
export type Interval = {readonly first: bigint; readonly last: bigint};
