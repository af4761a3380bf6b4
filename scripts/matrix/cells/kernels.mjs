export const kernelCells = [];
