"""A study's report as one HTML page.

plot         a plot with what is said of it
comparisons  plots of all arms
cost_plots   plots of all arms, by what else they cost
main_arms    plots of the baseline and the best other arm
method       how the study was made
errors       what the best arm gets wrong, in words and a table
tables       the tables, with heads and captions
document     the page that holds them
"""
