// The embedded model is loaded once, and some tests look at what the whole process holds.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
