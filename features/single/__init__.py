"""The measures over the record of one lead: arrays of some hundred activities, numpy only."""
